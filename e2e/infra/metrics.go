package infra

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// published lists the metrics that AWS publishes unasked, by namespace and
// dimensions: Kinesis Data Streams Developer Guide, "Basic stream-level metrics"
// and "Enhanced fan-out"; DynamoDB Developer Guide, "DynamoDB metrics and
// dimensions"; ECS Developer Guide, "CloudWatch metrics".
func published() map[string]map[string]string {
	return map[string]map[string]string{
		"AWS/Kinesis": {
			"StreamName": "IncomingBytes IncomingRecords GetRecords.Bytes GetRecords.IteratorAgeMilliseconds GetRecords.Latency GetRecords.Records " +
				"GetRecords.Success PutRecord.Bytes PutRecord.Latency PutRecord.Success PutRecords.Bytes PutRecords.Latency PutRecords.Success " +
				"PutRecords.TotalRecords PutRecords.SuccessfulRecords PutRecords.FailedRecords PutRecords.ThrottledRecords " +
				"ReadProvisionedThroughputExceeded WriteProvisionedThroughputExceeded",
			"ConsumerName StreamName": "SubscribeToShard.RateExceeded SubscribeToShard.Success SubscribeToShardEvent.Bytes " +
				"SubscribeToShardEvent.MillisBehindLatest SubscribeToShardEvent.Records SubscribeToShardEvent.Success",
		},
		"AWS/DynamoDB": {
			"TableName":           "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents TimeToLiveDeletedItemCount OnDemandMaxWriteRequestUnits OnDemandMaxReadRequestUnits",
			"Operation TableName": "SuccessfulRequestLatency ReturnedItemCount SystemErrors ThrottledRequests",
		},
		"AWS/ECS": {"ClusterName ServiceName": "CPUUtilization MemoryUtilization"},
	}
}

// Metric is one series of CloudWatch, as an alarm or a graph names it.
type Metric struct {
	Namespace, Name string
	Dimensions      []string // their names
}

func (m Metric) String() string {
	return fmt.Sprintf("%s %s by %s", m.Namespace, m.Name, strings.Join(m.Dimensions, " "))
}

// Published tells whether AWS publishes the metric, with exactly these dimensions.
func (m Metric) Published() bool {
	names := slices.Sorted(slices.Values(m.Dimensions))
	return slices.Contains(strings.Fields(published()[m.Namespace][strings.Join(names, " ")]), m.Name)
}

// Metrics returns every metric that alarms and dashboards of the plan name, by
// the address of what names it.
func (p Plan) Metrics() (map[string][]Metric, error) {
	named := map[string][]Metric{}
	for _, alarm := range p.OfType("aws_cloudwatch_metric_alarm") {
		if alarm.Text("metric_name") != "" {
			named[alarm.Address] = append(named[alarm.Address], metricOf(alarm.Values))
		}
		for _, query := range alarm.Blocks("metric_query") {
			for _, metric := range (Resource{Values: query}).Blocks("metric") {
				named[alarm.Address] = append(named[alarm.Address], metricOf(metric))
			}
		}
	}
	for _, dashboard := range p.OfType("aws_cloudwatch_dashboard") {
		metrics, err := graphed(dashboard.Text("dashboard_body"))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", dashboard.Address, err)
		}
		named[dashboard.Address] = metrics
	}
	return named, nil
}

func metricOf(values map[string]any) Metric {
	m := Metric{}
	m.Namespace, _ = values["namespace"].(string)
	m.Name, _ = values["metric_name"].(string)
	for name := range mapOf(values["dimensions"]) {
		m.Dimensions = append(m.Dimensions, name)
	}
	sort.Strings(m.Dimensions)
	return m
}

// graphed reads the series of a dashboard: namespace, metric, then names and
// values of dimensions in turn, and at the end perhaps how to show it.
func graphed(body string) ([]Metric, error) {
	var dashboard struct {
		Widgets []struct {
			Properties struct {
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &dashboard); err != nil {
		return nil, err
	}
	var metrics []Metric
	for _, widget := range dashboard.Widgets {
		for _, series := range widget.Properties.Metrics {
			names := texts(series)
			if len(names) < 2 || len(names)%2 != 0 {
				return nil, fmt.Errorf("series %v: want namespace, metric, and pairs", series)
			}
			m := Metric{Namespace: names[0], Name: names[1]}
			for i := 2; i < len(names); i += 2 {
				m.Dimensions = append(m.Dimensions, names[i])
			}
			metrics = append(metrics, m)
		}
	}
	return metrics, nil
}

// texts returns the strings of a series up to the first thing that is none.
func texts(series []any) []string {
	var out []string
	for _, v := range series {
		text, ok := v.(string)
		if !ok {
			break
		}
		out = append(out, text)
	}
	return out
}
