// Reads base64 records, one a line, and writes what Amazon's de-aggregator finds
// in each, as one JSON list of {key, data} a line.
const { deaggregateSync } = require('aws-kinesis-agg');

for (const line of require('fs').readFileSync(0, 'utf8').split('\n')) {
  if (line === '') continue;
  const record = { data: line, partitionKey: 'outer', sequenceNumber: '1' };
  deaggregateSync(record, true, (err, messages) => {
    if (err) throw err;
    console.log(JSON.stringify(messages.map((m) => ({ key: m.partitionKey, data: m.data }))));
  });
}
