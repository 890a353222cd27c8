import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
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
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * An ordinary Kinesis Client Library application. It prints one line for each
 * message (tab separated: record, shard, sequence number, sub-sequence number,
 * payload) and one for each event of a shard, and checkpoints every batch.
 *
 * <p>Environment: KCL_STREAM, KCL_APPLICATION (the lease table's name),
 * KCL_WORKER, KCL_FAILOVER_MS, AWS_ENDPOINT_URL, AWS_REGION. It stops gracefully on SIGTERM.
 */
public final class KclPeer {
  public static void main(String[] args) throws Exception {
    String stream = System.getenv("KCL_STREAM");
    URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL"));
    NettyNioAsyncHttpClient.Builder http =
        NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP1_1).maxConcurrency(200);
    KinesisAsyncClient kinesis =
        KinesisAsyncClient.builder().endpointOverride(endpoint).httpClientBuilder(http).build();
    DynamoDbAsyncClient dynamo = DynamoDbAsyncClient.builder().endpointOverride(endpoint).build();
    CloudWatchAsyncClient cloudWatch =
        CloudWatchAsyncClient.builder().endpointOverride(endpoint).build();

    SingleStreamTracker tracker =
        new SingleStreamTracker(
            stream,
            InitialPositionInStreamExtended.newInitialPosition(
                InitialPositionInStream.TRIM_HORIZON));
    ConfigsBuilder configs =
        new ConfigsBuilder(
            tracker,
            System.getenv("KCL_APPLICATION"),
            kinesis,
            dynamo,
            cloudWatch,
            System.getenv("KCL_WORKER"),
            Processor::new);
    PollingConfig polling = new PollingConfig(stream, kinesis);
    polling.idleTimeBetweenReadsInMillis(250);
    Scheduler scheduler =
        new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig().parentShardPollIntervalMillis(1000).shardConsumerDispatchPollIntervalMillis(200),
            configs
                .leaseManagementConfig()
                .failoverTimeMillis(Long.parseLong(System.getenv().getOrDefault("KCL_FAILOVER_MS", "10000")))
                .shardSyncIntervalMillis(2000),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs.retrievalConfig().retrievalSpecificConfig(polling));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    scheduler.startGracefulShutdown().get(20, TimeUnit.SECONDS);
                    say("stopped", "", "", "", "");
                  } catch (Exception e) {
                    say("stop failed", "", "", "", e.toString());
                  }
                }));
    scheduler.run();
  }

  static synchronized void say(String event, String shard, String sequence, String sub, String data) {
    System.out.println(String.join("\t", event, shard, sequence, sub, data));
    System.out.flush();
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      say("initialize", shard, input.extendedSequenceNumber().sequenceNumber(),
          String.valueOf(input.extendedSequenceNumber().subSequenceNumber()), "");
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      KinesisClientRecord last = null;
      for (KinesisClientRecord record : input.records()) {
        String data = StandardCharsets.UTF_8.decode(record.data().duplicate()).toString();
        say("record", shard, record.sequenceNumber(), String.valueOf(record.subSequenceNumber()), data);
        last = record;
      }
      if (last == null) {
        return;
      }
      try {
        input.checkpointer().checkpoint(last.sequenceNumber(), last.subSequenceNumber());
        say("checkpoint", shard, last.sequenceNumber(), String.valueOf(last.subSequenceNumber()), "");
      } catch (Exception e) {
        say("checkpoint failed", shard, last.sequenceNumber(), "", e.toString());
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      say("lease lost", shard, "", "", "");
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      checkpoint("shard ended", input.checkpointer());
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      checkpoint("shutdown requested", input.checkpointer());
    }

    private void checkpoint(String event, RecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
        say(event, shard, "", "", "");
      } catch (Exception e) {
        say(event + " failed", shard, "", "", e.toString());
      }
    }
  }
}
