// Breakages proves that the consumer's tests can fail: it makes each deliberate
// fault of internal/breakages/lists in a copy of the module, and runs the tests
// that are to notice. A fault that no longer fits the code or does not compile,
// one that no test notices, and a test that fails without a fault are errors.
//
//	go run ./internal/breakages               # all of them, in the module's folder
//	go run ./internal/breakages 4 lanes       # those of list 4, and the one called lanes
//	go run ./internal/breakages -quick        # those whose tests start no process
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const folder = "internal/breakages/lists"

func main() {
	jobs := flag.Int("jobs", 2, "faults to try at a time")
	quick := flag.Bool("quick", false, "leave out faults whose tests start processes")
	flag.Parse()
	if err := run(*jobs, *quick, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "breakages:", err)
		os.Exit(1)
	}
}

func run(jobs int, quick bool, only []string) error {
	all, err := load(folder)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(b *breakage) bool { return !b.wanted(only) || quick && b.starts() })
	if len(all) == 0 {
		return errors.New("no breakage has such a name")
	}
	w := &work{began: time.Now(), tasks: make(chan task)}
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() { w.do() })
	}
	for pkg, tests := range control(all) {
		w.tasks <- task{pkg: pkg, tests: tests}
	}
	for _, b := range all {
		w.tasks <- task{pkg: b.pkg, tests: b.tests, breakage: b}
	}
	close(w.tasks)
	workers.Wait()
	fmt.Printf("%d of %d breakages noticed, in %s\n", w.caught, len(all), time.Since(w.began).Round(time.Second))
	return errors.Join(w.errs...)
}

// wanted tells whether b is asked for: by its name, or its list's name or
// number.
func (b *breakage) wanted(only []string) bool {
	for _, o := range only {
		if b.name == o || b.list == o || strings.HasPrefix(b.list, o+"-") {
			return true
		}
	}
	return len(only) == 0
}

// starts tells whether b's tests start processes, which takes longer.
func (b *breakage) starts() bool {
	return slices.Contains([]string{".", "./internal/kinesis", "./internal/store", "./internal/deadletter"}, b.pkg)
}

// control returns every test that is named, by its package.
func control(all []*breakage) map[string][]string {
	tests := map[string][]string{}
	for _, b := range all {
		for _, t := range b.tests {
			if !slices.Contains(tests[b.pkg], t) {
				tests[b.pkg] = append(tests[b.pkg], t)
			}
		}
	}
	return tests
}

// task is some tests to run: with a breakage, one of which must fail, or
// without, none.
type task struct {
	pkg      string
	tests    []string
	breakage *breakage
}

// work is what the workers share.
type work struct {
	tasks chan task
	began time.Time

	mu     sync.Mutex
	caught int
	errs   []error
}

// do takes tasks, and does them in a copy of the module of its own.
func (w *work) do() {
	m, err := newModule()
	if err != nil {
		w.note(err)
	}
	defer m.remove()
	for t := range w.tasks {
		began := time.Now()
		if err != nil { // reported
			continue
		}
		line, err := m.try(t)
		if err != nil {
			w.note(err)
			fmt.Printf("FAIL  %v\n", err)
			continue
		}
		fmt.Printf("ok    %5.1f s  %s\n", time.Since(began).Seconds(), line)
		if t.breakage != nil {
			w.mu.Lock()
			w.caught++
			w.mu.Unlock()
		}
	}
}

func (w *work) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}
