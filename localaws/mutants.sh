#!/bin/sh
# mutants.sh [NAME ...]: makes localaws lenient in one way at a time, in a copy,
# and checks that the test named beside it fails.
set -eu
. "$(dirname -- "$0")/../tools/mutants.sh"
begin localaws "$@"

# signatures
signature=internal/wire/signature.go
mutant no-signature $signature 's/!hmac.Equal(.*) {/false \&\& want == "" {/' ./conformance TestKinesis_Signature/another_secret
mutant no-body $signature 's/digest := sha256.Sum256(body)/digest := sha256.Sum256([]byte(`{"Limit":1}`))/' ./conformance TestKinesis_Signature/another_body
mutant never-too-old $signature 's/case at.Before(now.Add(-signatureLife)):/case false:/' ./conformance TestKinesis_Signature/too_old
mutant never-too-new $signature 's/case at.After(now.Add(signatureLife)):/case false:/' ./conformance TestKinesis_Signature/too_new
mutant short-lived $signature 's/signatureLife = 5/signatureLife = 3/' ./conformance TestKinesis_Signature
mutant any-service $signature 's/case a.service != service:/case false:/' ./conformance TestKinesis_Signature/another_service
mutant unsigned-headers $signature 's/strings.HasPrefix(name, "x-amz-")/false/' ./conformance TestKinesis_Signature/header_unsigned
mutant any-path $signature 's/Path: r.URL.EscapedPath()/Path: "\/"/' ./conformance TestKinesis_Signature/another_path
mutant any-query $signature 's/r.URL.Query().Encode()/""/' ./conformance TestKinesis_Signature/another_query
mutant refusals-uncounted internal/wire/handler.go 's/_ = h.hook.After(hr.Context(), s, r, err).*/_ = h.hook/' ./server TestServer_SignedLate
mutant date-of-machine internal/wire/handler.go 's/"Date", service.Now()/"Date", time.Now()/' ./server TestServer_Date

# names and text
mutant names-in-any-case internal/wire/encoding.go 's/strict.Unmarshal(body, into)/strict.Unmarshal(body, into, strict.MatchCaseInsensitiveNames(true))/' ./conformance TestKinesis_Names
mutant names-in-any-case-dynamodb internal/dynamodb/service.go 's/json.Unmarshal(r.Body, in);/json.Unmarshal(r.Body, in, json.MatchCaseInsensitiveNames(true));/' ./conformance TestDynamoDB_Names
mutant duplicates internal/wire/encoding.go 's/strict.Unmarshal(body, into)/json.Unmarshal(body, into)/; s/^func encodingOf/var _ = strict.Unmarshal\n\n&/' ./conformance TestKinesis_Text/twice
mutant not-utf8 internal/dynamodb/attr/scanner.go 's/if r == utf8.RuneError \&\& size == 1/if size == 0/' ./internal/dynamodb/attr TestItem_Errors
mutant half-a-pair internal/dynamodb/attr/scanner.go 's/return 0, s.unexpected("the other half of a surrogate pair")/return utf8.RuneError, nil/' ./internal/dynamodb/attr TestItem_Errors

# DynamoDB
mutant never-stale internal/dynamodb/replica.go 's/if lag <= 0 {/if lag > 0 {/' ./internal/dynamodb TestService_StaleReads
mutant stale-for-ever internal/dynamodb/replica.go 's/p.pending = p.pending\[done:\]/p.pending = nil/' ./internal/dynamodb TestService_StaleReads
mutant stale-too-short internal/dynamodb/replica.go 's/now.Sub(c.at) < p.lag/now.Sub(c.at) < p.lag*9\/10/' ./internal/dynamodb TestService_StaleReads
mutant always-stale internal/dynamodb/replica.go 's/if consistent || t.replica == nil {/if t.replica == nil {/' ./internal/dynamodb TestService_StaleReads
mutant index-not-stale internal/dynamodb/walk.go 's/v.rows = t.replica.of(x)/_ = stale/' ./internal/dynamodb TestService_StaleReads
mutant index-keys-of-any-length internal/dynamodb/index.go 's/return x.key.checkLengths(item)/return nil/' ./conformance TestDynamoDB_IndexKeySize

# Kinesis
mutant key-not-counted internal/kinesis/put.go 's/if len(e.bytes) > greatest/if len(e.bytes)-e.keyLen > greatest/' ./conformance TestPutRecord_KeyCounts
mutant long-pages internal/kinesis/describe.go 's/limit = min(limit, \*in.Limit)/limit = *in.Limit/' ./conformance TestDescribeStream_Hundred
mutant great-limit internal/kinesis/getrecords.go 's/\*in.Limit > maxGetRecords/*in.Limit > 1<<30/' ./conformance TestKinesis_Errors
mutant any-arn internal/kinesis/stream.go 's/ || ref.StreamARN != nil \&\& \*ref.StreamARN != st.arn//' ./internal/kinesis TestLookup_ARN
mutant gone-at-once internal/kinesis/consumer.go 's/found.leaves.CompareAndSwap(0, now+transition)/found.leaves.CompareAndSwap(0, now)/' ./internal/kinesis TestConsumer_Deregister
mutant same-arn internal/kinesis/consumer.go 's/max(now\/1000, st.stamps\[name\]+1)/now \/ 1000/' ./internal/kinesis TestConsumer_Deregister
mutant listing-at-once internal/kinesis/listshards.go 's/if lag > 0 {/if lag < 0 {/' ./internal/kinesis TestListShards_Lag
mutant listing-shows-ends internal/kinesis/shard.go 's/if s.closed > asOf {/if false {/' ./internal/kinesis TestListShards_Lag

conclude
