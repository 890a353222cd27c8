/*
 * The table protocol of one lease: heartbeat, evict, claim, release, and the time
 * to live of what the consumers hold. Checked for I1: never two unexpired grants.
 *
 * README.md says what every abstraction stands for and why it loses no behaviour.
 * In short:
 *   - Counters and generations are unbounded. Only "is the condition of this write
 *     still true" matters, so a write in flight is one bit, cleared for good when
 *     the row moves on. Until then it may land at any time, or never.
 *   - Clocks are countdowns in ticks. A timer may be acted on at any moment after it
 *     ran out, never before: every pause and every slow network is in that.
 *   - N slots hold worker lives. A slot is used again, as a new id, when nothing
 *     refers to the old one.
 *
 * -DN=2|3 lives, -DK=2.. ticks of a lease; one -D... per removed cure, see below.
 */
#ifndef N
#define N 3
#endif
#ifndef K
#define K 2
#endif

#define WATCH K             /* the shortest D a watcher can measure, in true time */
#ifdef NO_MARGIN            /* cure removed: drift is not allowed for, V = D */
#define VALID (K+1)
#else
#define VALID K             /* the longest V an owner can believe in, in true time */
#endif

/* One cure removed each; check.sh runs them all and expects a counterexample. */
#ifdef NO_A8                /* EVICTED is written on one's own row while a grant lives */
#define MAY_LEAVE(i) true
#else
#define MAY_LEAVE(i) (ttl[i] == 0)
#endif
#if defined(NO_S5) && !defined(NO_S6)
#define BEAT_SEEN(i) (row[i] == ACTIVE)   /* a retry that fails shows the row */
#else
#define BEAT_SEEN(i) true                 /* the answer of the first attempt, however late */
#endif
#ifdef NO_EVICTION          /* a dead peer's lease is touched before its row is EVICTED */
#define DEAD(i) (row[i] == EVICTED || watch[i] == 0)
#else
#define DEAD(i) (row[i] == EVICTED)
#endif
#ifdef NO_DRAIN             /* released without waiting for the consumer */
#define DRAINED(i) true
#else
#define DRAINED(i) (ttl[i] == 0)
#endif
#ifdef NO_S8                /* "gone" is "dead" */
#define WATCH_GONE 0
#else
#define WATCH_GONE WATCH
#endif

#define NOBODY 7
#define FRESH(i) (!up[i] && row[i] == ABSENT)  /* slots are alike: the first fresh one is used */

/* the worker row */
#define ABSENT  0           /* never written */
#define ACTIVE  1
#define EVICTED 2
#define DELETED 3           /* removed by TTL or an operator while it was ACTIVE */

/* the heartbeat of a worker */
#define QUIET  0
#define SENT   1            /* sent, perhaps several times; has not landed */
#define LANDED 2            /* landed; the worker does not know */

/* what a worker does with the lease */
#define NONE      0         /* no grant; perhaps a claim was sent */
#define GRANTED   1
#define WITHDRAWN 2

byte row[N];                /* worker table: ABSENT .. DELETED */
byte watch[N];              /* ticks until the quickest watcher may call the row still */
byte beat[N];               /* QUIET .. LANDED */
byte cand[N];               /* validity that the beat in flight will bring, if it lands */
byte valid[N];              /* validity of this worker's leases, counted by itself */
byte lease[N];              /* NONE .. WITHDRAWN */
byte ttl[N];                /* ticks the consumer of this worker still reads the shard */
bool up[N];                 /* this life of the leasekeeper runs */
bool claim[N];              /* a claim is in flight whose condition holds */
bool release[N];            /* a release is in flight whose condition holds */
bool answer[N];             /* a claim of this life has landed; the answer is on its way */
bool current[N];            /* the row's generation is the one this life's claim made */
byte owner = NOBODY;        /* lease table: leaseOwner */
#ifdef NO_EVICT_CONDITION
bool evict[N];              /* an eviction is in flight, whatever the counter does */
#endif
#ifdef NO_S4
bool claimed[N];            /* a claim was sent in this life */
#endif
#ifdef NO_S7
byte scan[N];               /* WATCH minus the age of the oldest scan under way */
bool scanning[N];
#endif

/* The lease row got a new generation: no older condition will ever be true again. */
inline generation_moved() {
	for (k : 0 .. N-1) { claim[k] = false; release[k] = false; current[k] = false }
}

inline forget(i) {
#ifdef NO_S4
	claimed[i] = false;
#endif
	up[i] = false; valid[i] = 0; cand[i] = 0; lease[i] = NONE; answer[i] = false;
	beat[i] = QUIET   /* landing later would only put the eviction off, and nothing forces that */
}

inline count_down(t) { if :: t > 0 -> t-- :: else fi }

inline check_I1() {
	k = 0;
	for (j : 0 .. N-1) { if :: ttl[j] > 0 -> k++ :: else fi }
	assert(k <= 1)
}

active [N] proctype Worker() {
	byte i = _pid, k, j;
	do
	/* ---- life ---- */
	:: d_step { FRESH(i) && (i == 0 || !FRESH(i-1)) ->              /* start: the row is put by the first beat */
		up[i] = true; beat[i] = SENT; cand[i] = VALID }
	:: d_step { up[i] -> forget(i) }                                /* crash, or out: the consumer reads on for its ttl */
	:: d_step { up[i] && row[i] == ACTIVE && lease[i] == NONE && MAY_LEAVE(i) ->  /* leave: EVICTED on one's own row */
		row[i] = EVICTED; watch[i] = 0; forget(i) }
	:: d_step { !up[i] && row[i] == EVICTED && owner != i && !claim[i] && !release[i] && ttl[i] == 0 ->
		row[i] = ABSENT; beat[i] = QUIET; current[i] = false; k = 0; j = 0
#ifdef NO_EVICT_CONDITION
		; evict[i] = false
#endif
		}

	/* ---- heartbeat ---- */
	:: d_step { up[i] && beat[i] == QUIET -> beat[i] = SENT; cand[i] = VALID }
	:: d_step { beat[i] == SENT && (row[i] == ACTIVE || row[i] == ABSENT) ->   /* lands, however late */
		row[i] = ACTIVE;
		watch[i] = WATCH;
#ifdef NO_S7
		if :: scanning[i] -> watch[i] = scan[i]; scanning[i] = false; scan[i] = 0 :: else fi;
#endif
		beat[i] = LANDED }
	:: d_step { up[i] && beat[i] == LANDED && BEAT_SEEN(i) ->       /* the answer arrives */
		valid[i] = cand[i]; cand[i] = 0; beat[i] = QUIET }
#ifdef NO_S5
	:: d_step { up[i] && beat[i] != QUIET -> cand[i] = VALID }      /* the time is taken anew with every attempt */
#endif
#ifdef NO_S7
	:: d_step { !scanning[i] && beat[i] == SENT -> scanning[i] = true; scan[i] = WATCH }
#endif

#ifndef KEEP_ROWS
	/* ---- the row is deleted under a live worker; a late first put brings it back ---- */
	:: d_step { row[i] == ACTIVE -> row[i] = DELETED; watch[i] = WATCH_GONE }
	:: d_step { row[i] == DELETED -> row[i] = ACTIVE; watch[i] = WATCH }
#endif

	/* ---- eviction, by any peer ---- */
#ifdef NO_EVICT_CONDITION
	:: d_step { row[i] == ACTIVE && watch[i] == 0 && !evict[i] -> evict[i] = true }
	:: d_step { evict[i] && row[i] == ACTIVE -> evict[i] = false; row[i] = EVICTED; watch[i] = 0 }
	:: d_step { row[i] == DELETED && watch[i] == 0 -> row[i] = EVICTED }
#else
	:: d_step { (row[i] == ACTIVE || row[i] == DELETED) && watch[i] == 0 -> row[i] = EVICTED }
#endif

	/* ---- claim ---- */
	:: d_step { up[i] && lease[i] == NONE && (owner == NOBODY || owner == i || DEAD(owner)) ->
#ifdef NO_S4
		claimed[i] = true;
#endif
		claim[i] = true; answer[i] = false }                        /* from here on only the answer to this one counts */
	:: d_step { claim[i] ->
		generation_moved(); owner = i; current[i] = true;
		answer[i] = (up[i] && lease[i] == NONE); k = 0; j = 0 }
	:: d_step { answer[i] -> lease[i] = GRANTED; answer[i] = false }
	:: d_step { answer[i] -> answer[i] = false }                      /* lost */
#ifdef NO_S3
	:: d_step { up[i] && lease[i] == NONE && owner == i -> lease[i] = GRANTED }       /* adopted by reading */
#endif
#ifdef NO_S4
	:: d_step { up[i] && lease[i] == NONE && claimed[i] && owner == i ->
		lease[i] = GRANTED; answer[i] = false; claimed[i] = false }  /* "our claim had landed" */
#endif

	/* ---- grant, withdraw, release ---- */
	:: d_step { up[i] && lease[i] == GRANTED && valid[i] > 0 -> ttl[i] = valid[i]; check_I1(); k = 0; j = 0 }
	:: d_step { up[i] && lease[i] == GRANTED -> lease[i] = WITHDRAWN }
	:: d_step { up[i] && lease[i] == WITHDRAWN && ttl[i] > 0 -> ttl[i] = 0 }           /* drained, see contract.pml */
#ifdef NO_S2
	:: d_step { up[i] && lease[i] == WITHDRAWN && DRAINED(i) -> release[i] = current[i] }
	:: d_step { up[i] && lease[i] == WITHDRAWN -> lease[i] = GRANTED }                 /* kept after all, same generation */
	:: d_step { up[i] && lease[i] == WITHDRAWN && !current[i] -> lease[i] = NONE }
#else
	:: d_step { up[i] && lease[i] == WITHDRAWN && DRAINED(i) -> release[i] = current[i]; lease[i] = NONE }
	:: d_step { up[i] && lease[i] == WITHDRAWN -> lease[i] = NONE }                    /* kept after all: claim anew */
#endif
	:: d_step { release[i] -> generation_moved(); owner = NOBODY; k = 0; j = 0 }
	od
}

/* Time. A generation whose validity ran out is never granted again. */
active proctype Time() {
	byte i;
	do
	:: d_step { true ->
		for (i : 0 .. N-1) {
			count_down(watch[i]); count_down(cand[i]); count_down(ttl[i]);
#ifdef NO_S7
			count_down(scan[i]);
#endif
			if
			:: valid[i] == 1 && lease[i] == GRANTED -> lease[i] = NONE
			:: else
			fi;
			count_down(valid[i])
		}
		i = 0 }
	od
}
