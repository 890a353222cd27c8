// Writes ../vectors.json: messages, and the record that Amazon's aggregator
// makes of them. Run it by hand: npm ci && node pack.js
const { RecordAggregator } = require('aws-kinesis-agg');

const cases = {
  'two keys': [['a', 'one'], ['b', 'two']],
  'one key': [['same', 'one'], ['same', 'two'], ['same', 'three']],
  'keys come again': [['a', '1'], ['b', '2'], ['a', '3'], ['c', '4'], ['b', '5']],
  'long key and data': [['k'.repeat(200), 'x'.repeat(1000)], ['é'.repeat(100), 'y'.repeat(20000)]],
  'empty data': [['a', ''], ['b', 'z']],
  'many keys': Array.from({ length: 300 }, (_, i) => [`key ${i}`, `message ${i}`]),
};
const vectors = Object.entries(cases).map(([name, messages]) => {
  const aggregator = new RecordAggregator();
  for (const [partitionKey, data] of messages) {
    aggregator.addUserRecord({ partitionKey, data: Buffer.from(data) });
  }
  const record = Buffer.from(aggregator.build().data).toString('base64');
  return { name, messages: messages.map(([key, data]) => ({ key, data: Buffer.from(data).toString('base64') })), record };
});
require('fs').writeFileSync(__dirname + '/../vectors.json', JSON.stringify(vectors, null, 1) + '\n');
