import com.amazonaws.auth.DefaultAWSCredentialsProviderChain;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IShutdownNotificationAware;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import com.amazonaws.services.kinesis.clientlibrary.types.UserRecord;
import com.amazonaws.services.kinesis.metrics.impl.NullMetricsFactory;
import com.amazonaws.services.kinesis.model.Record;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * An ordinary application of the Kinesis Client Library, version 1. It says and
 * does what the KclPeer of e2e/kcl does: see there for lines and environment.
 */
public final class KclPeer {
  public static void main(String[] args) {
    String endpoint = System.getenv("AWS_ENDPOINT_URL");
    KinesisClientLibConfiguration configuration =
        new KinesisClientLibConfiguration(
                System.getenv("KCL_APPLICATION"),
                System.getenv("KCL_STREAM"),
                new DefaultAWSCredentialsProviderChain(),
                System.getenv("KCL_WORKER"))
            .withRegionName(System.getenv("AWS_REGION"))
            .withKinesisEndpoint(endpoint)
            .withDynamoDBEndpoint(endpoint)
            .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
            .withFailoverTimeMillis(Long.parseLong(System.getenv().getOrDefault("KCL_FAILOVER_MS", "10000")))
            .withShardSyncIntervalMillis(2000)
            .withParentShardPollIntervalMillis(1000)
            .withIdleTimeBetweenReadsInMillis(250);
    Worker worker =
        new Worker.Builder()
            .recordProcessorFactory(Processor::new)
            .config(configuration)
            .metricsFactory(new NullMetricsFactory())
            .build();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    worker.startGracefulShutdown().get(20, TimeUnit.SECONDS);
                    say("stopped", "", "", "", "");
                  } catch (Exception e) {
                    say("stop failed", "", "", "", e.toString());
                  }
                }));
    worker.run();
  }

  static synchronized void say(String event, String shard, String sequence, String sub, String data) {
    System.out.println(String.join("\t", event, shard, sequence, sub, data));
    System.out.flush();
  }

  private static final class Processor implements IRecordProcessor, IShutdownNotificationAware {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.getShardId();
      say("initialize", shard, input.getExtendedSequenceNumber().getSequenceNumber(),
          String.valueOf(input.getExtendedSequenceNumber().getSubSequenceNumber()), "");
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      Record last = null;
      for (Record record : input.getRecords()) {
        String data = StandardCharsets.UTF_8.decode(record.getData().duplicate()).toString();
        say("record", shard, record.getSequenceNumber(), sub(record), data);
        last = record;
      }
      if (last == null) {
        return;
      }
      try {
        input.getCheckpointer().checkpoint(last);
        say("checkpoint", shard, last.getSequenceNumber(), sub(last), "");
      } catch (Exception e) {
        say("checkpoint failed", shard, last.getSequenceNumber(), "", e.toString());
      }
    }

    private static String sub(Record record) {
      return record instanceof UserRecord user ? String.valueOf(user.getSubSequenceNumber()) : "0";
    }

    @Override
    public void shutdown(ShutdownInput input) {
      if (input.getShutdownReason() == ShutdownReason.TERMINATE) {
        checkpoint("shard ended", input.getCheckpointer());
      } else {
        say("lease lost", shard, "", "", "");
      }
    }

    @Override
    public void shutdownRequested(IRecordProcessorCheckpointer checkpointer) {
      checkpoint("shutdown requested", checkpointer);
    }

    private void checkpoint(String event, IRecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
        say(event, shard, "", "", "");
      } catch (Exception e) {
        say(event + " failed", shard, "", "", e.toString());
      }
    }
  }
}
