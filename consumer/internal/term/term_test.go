package term_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// TestTerm_TimeoutWithin is what every call that is made with a Term relies on:
// a timeout shorter than the grant is kept, however often the grant is renewed.
func TestTerm_TimeoutWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		grant := term.New(context.Background(), time.Now().Add(6*time.Second))
		defer grant.End(errors.New("over"))
		begin := time.Now()
		call, cancel := context.WithTimeout(grant, 10*time.Second)
		defer cancel()
		for i := range 60 {
			time.AfterFunc(time.Duration(i)*time.Second, func() { grant.Extend(time.Now().Add(6 * time.Second)) })
		}
		select {
		case <-call.Done():
		case <-time.After(time.Minute):
		}
		if took := time.Since(begin); took != 10*time.Second || grant.Err() != nil {
			t.Errorf("the call ended after %s (the grant: %v), want after its own 10 s", took, grant.Err())
		}
	})
}

func TestTerm_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		grant := term.New(context.Background(), time.Now().Add(6*time.Second))
		time.Sleep(5 * time.Second)
		grant.Extend(time.Now().Add(2 * time.Second))
		grant.Extend(time.Now().Add(time.Second)) // never back
		time.Sleep(2*time.Second - time.Nanosecond)
		if err := grant.Err(); err != nil {
			t.Fatalf("got %v before the deadline", err)
		}
		time.Sleep(time.Nanosecond)
		<-grant.Done()
		grant.Extend(time.Now().Add(time.Hour)) // never again
		if grant.Err() == nil || !errors.Is(context.Cause(grant), term.ErrExpired) {
			t.Errorf("got %v, cause %v, want the grant expired", grant.Err(), context.Cause(grant))
		}
	})
}
