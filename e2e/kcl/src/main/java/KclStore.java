import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BatchWriteItemRequest;
import software.amazon.awssdk.services.dynamodb.model.PutRequest;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * What the consumer does, done with the Kinesis Client Library as it comes: one item of the same
 * six attributes for each message, by BatchWriteItem, and a checkpoint for each batch of records.
 * Every setting of the library is its default, but for polling, TRIM_HORIZON and no CloudWatch.
 *
 * <p>Environment: KCL_STREAM, KCL_APPLICATION (the lease table's name), KCL_WORKER, KCL_TABLE,
 * AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS, AWS_REGION. It stops gracefully on SIGTERM.
 */
public final class KclStore {
  private static final int BATCH = 25; // what BatchWriteItem takes

  public static void main(String[] args) throws Exception {
    String stream = System.getenv("KCL_STREAM");
    URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
    KinesisAsyncClient kinesis =
        KinesisAsyncClient.builder()
            .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL_KINESIS")))
            .httpClientBuilder(
                NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1).maxConcurrency(200))
            .build();
    DynamoDbClient items = DynamoDbClient.builder().endpointOverride(endpoint).build();
    ConfigsBuilder configs =
        new ConfigsBuilder(
            new SingleStreamTracker(
                stream,
                InitialPositionInStreamExtended.newInitialPosition(
                    InitialPositionInStream.TRIM_HORIZON)),
            System.getenv("KCL_APPLICATION"),
            kinesis,
            DynamoDbAsyncClient.builder().endpointOverride(endpoint).build(),
            CloudWatchAsyncClient.builder().endpointOverride(endpoint).build(),
            System.getenv("KCL_WORKER"),
            () -> new Processor(items, System.getenv("KCL_TABLE")));
    Scheduler scheduler =
        new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig(),
            configs.leaseManagementConfig(),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs.retrievalConfig().retrievalSpecificConfig(new PollingConfig(stream, kinesis)));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);
                  } catch (Exception e) {
                    System.err.println("stop failed: " + e);
                  }
                }));
    scheduler.run();
  }

  private static final class Processor implements ShardRecordProcessor {
    private final DynamoDbClient items;
    private final String table;
    private String shard;

    Processor(DynamoDbClient items, String table) {
      this.items = items;
      this.table = table;
    }

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      if (input.records().isEmpty()) {
        return;
      }
      List<WriteRequest> batch = new ArrayList<>(BATCH);
      for (KinesisClientRecord record : input.records()) {
        batch.add(WriteRequest.builder().putRequest(PutRequest.builder().item(item(record)).build()).build());
        if (batch.size() == BATCH) {
          store(batch);
          batch.clear();
        }
      }
      if (!batch.isEmpty()) {
        store(batch);
      }
      try {
        input.checkpointer().checkpoint();
      } catch (Exception e) {
        System.err.println("checkpoint failed: " + e);
      }
    }

    private Map<String, AttributeValue> item(KinesisClientRecord record) {
      Map<String, AttributeValue> item = new HashMap<>();
      item.put("id", AttributeValue.fromS(shard + "/" + record.sequenceNumber() + "/" + record.subSequenceNumber()));
      item.put("meta", AttributeValue.fromS(StandardCharsets.UTF_8.decode(record.data().duplicate()).toString()));
      item.put("partitionKey", AttributeValue.fromS(record.partitionKey()));
      item.put("shardId", AttributeValue.fromS(shard));
      item.put("sequenceNumber", AttributeValue.fromS(record.sequenceNumber()));
      item.put("arrivedAt", AttributeValue.fromN(String.valueOf(record.approximateArrivalTimestamp().toEpochMilli())));
      return item;
    }

    private void store(List<WriteRequest> batch) {
      Map<String, List<WriteRequest>> left = Map.of(table, List.copyOf(batch));
      while (!left.isEmpty()) {
        left = items.batchWriteItem(BatchWriteItemRequest.builder().requestItems(left).build()).unprocessedItems();
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shardEnded(ShardEndedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (Exception e) {
        System.err.println("checkpoint failed: " + e);
      }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (Exception e) {
        System.err.println("checkpoint failed: " + e);
      }
    }
  }
}
