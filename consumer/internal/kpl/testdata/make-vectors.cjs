// Makes vectors.json with aws-kinesis-agg, which nobody here wrote:
//   npm install aws-kinesis-agg@4.2.8 && node make-vectors.cjs > vectors.json
const agg = require('aws-kinesis-agg')

const text = (n) => Buffer.from('x'.repeat(n))
const cases = {
  one: [{ partitionKey: 'a', data: Buffer.from('{"foo":"bar"}') }],
  'shared keys': ['a', 'b', 'a', 'c', 'b', 'a'].map((k, i) => ({ partitionKey: k, data: Buffer.from('data ' + i) })),
  'explicit hash keys': [
    { partitionKey: 'a', explicitHashKey: '0', data: text(10) },
    { partitionKey: 'b', explicitHashKey: '340282366920938463463374607431768211455', data: text(11) },
    { partitionKey: 'c', data: text(12) },
    { partitionKey: 'a', explicitHashKey: '0', data: text(13) },
  ],
  'unicode key': [{ partitionKey: 'schlüssel-✓', data: Buffer.from('ä✓') }],
  'bytes': [{ partitionKey: 'k', data: Buffer.from([0, 255, 1, 254, 128]) }],
  'sizes about varint borders': [0x7e, 0x7f, 0x80, 0x81, 0x3fff, 0x4000].map((n) => ({ partitionKey: 'k' + n, data: text(n) })),
  'many': Array.from({ length: 300 }, (_, i) => ({ partitionKey: 'key-' + i, data: Buffer.from(`{"record":${i}}`) })),
}

const vector = ([name, records]) => new Promise((resolve, reject) => {
  const encoded = (out, done) => {
    done()
    resolve({
      name,
      aggregate: Buffer.from(out.data).toString('base64'),
      records: records.map((r) => ({ key: r.partitionKey, hash: r.explicitHashKey || '', data: r.data.toString('base64') })),
    })
  }
  agg.aggregate(records.map((r) => ({ ...r })), encoded, () => {}, reject)
})

Promise.all(Object.entries(cases).map(vector)).then((vectors) => console.log(JSON.stringify(vectors, null, 1)))
