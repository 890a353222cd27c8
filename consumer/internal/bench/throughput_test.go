package main

import "testing"

// TestCell_Ratios compares within a round, and takes the median of the rounds.
func TestCell_Ratios(t *testing.T) {
	of := func(values ...float64) (list []result) {
		for _, v := range values {
			list = append(list, result{PerCPUSecond: v})
		}
		return list
	}
	c := cell{base: plain, results: map[string][]result{plain: of(100, 10, 50), ours: of(300, 40, 100)}}
	if got, want := c.ratios(ours), (spread{2, 3, 4}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := c.ratios(plain), (spread{1, 1, 1}); got != want {
		t.Errorf("the base: got %v, want %v", got, want)
	}
	c.results = map[string][]result{plain: of(1, 1), ours: of(4, 3)}
	if got, want := c.ratios(ours), (spread{3, 3.5, 4}); got != want {
		t.Errorf("two rounds: got %v, want %v", got, want)
	}
}
