/*
 * One leasekeeper and the consumer beside it: POST /v1/sync with late, lost and
 * abandoned requests and answers. Checked: when the leasekeeper concludes that a
 * withdrawn grant is over, the consumer is not reading. lease.pml builds on that.
 *
 * One generation at a time is followed; a new one begins when the old one is over.
 * Revisions are abstracted to "at or above that of the withdrawing answer, or not".
 */
#ifndef K
#define K 3
#endif

#define NONE      0         /* leasekeeper: no grant */
#define GRANTED   1
#define WITHDRAWN 2

#define IDLE      0         /* the sync of the consumer */
#define ASKING    1         /* the request is on its way */
#define WAITING   2         /* the request has arrived */
#define ANSWERED  3         /* the answer is on its way */

#ifdef NO_S10               /* an answer renews whatever the consumer still holds */
#define RENEWS_WITHDRAWN true
#else
#define RENEWS_WITHDRAWN false
#endif
#ifdef NO_S11               /* a request without the shard is taken for "drained", whatever its revision */
#define OMISSION_COUNTS true
#else
#define OMISSION_COUNTS false
#endif
#ifdef NO_REVISION          /* an answer of an abandoned sync is applied, though a newer one was */
#define OLD_ANSWER_APPLIES true
#else
#define OLD_ANSWER_APPLIES (!applied && !stopped)
#endif

byte state = NONE;
byte valid;                 /* validity of the leases */
byte last;                  /* until the last expiry the leasekeeper has given out */
bool heard;                 /* it knows that the consumer has let go */

byte sync = IDLE;
byte transit;               /* how long the request has been under way */
bool omits, good;           /* the request: lacks the shard; proves that the shard was let go */
bool grants;                /* the answer: contains the grant */
bool ours;                  /* the answer is about this generation */
byte ttl_answer;            /* what is left of the answer's ttl, counted from the sending of the request */

byte ttl;                   /* the consumer reads while this is above 0 */
bool held, applied, stopped;/* it has the grant; it knows of the withdrawal; it has drained, for good */

bool late_omission, late_good;  /* requests of abandoned syncs, still under way */
byte late_grant;                /* an answer of an abandoned sync, still under way */

inline let_go() { held = false; ttl = 0; stopped = true }
inline over() { assert(ttl == 0); state = NONE }

active proctype Consumer() {
	do
	:: d_step { sync == IDLE -> sync = ASKING; transit = 0; omits = !held;
		good = stopped || (omits && applied) }
	:: d_step { sync == ASKING -> late_omission = late_omission || omits; late_good = late_good || good;
		sync = IDLE; transit = 0 }
	:: d_step { sync == WAITING -> sync = IDLE; transit = 0 }
	:: d_step { sync == ANSWERED ->                                   /* abandoned: the answer may come yet */
		if :: grants && ours && ttl_answer > late_grant -> late_grant = ttl_answer :: else fi;
		sync = IDLE; ttl_answer = 0; transit = 0 }
	:: d_step { sync == ANSWERED ->                                   /* applied */
		if
		:: grants && ours && !applied && !stopped && ttl_answer > ttl -> ttl = ttl_answer; held = true
		:: !grants && ours ->
			applied = true;
			if :: RENEWS_WITHDRAWN && ttl > 0 && ttl_answer > ttl -> ttl = ttl_answer :: else fi
		:: else
		fi;
		sync = IDLE; ttl_answer = 0; transit = 0 }
	:: d_step { late_grant > 0 && OLD_ANSWER_APPLIES -> ttl = late_grant; held = true; late_grant = 0 }
	:: d_step { held && applied -> let_go() }                         /* drained as told */
	:: d_step { held -> let_go() }                                    /* drained because it is stopping */
	od
}

active proctype Leasekeeper() {
	do
	:: d_step { valid < K -> valid = K }                              /* a heartbeat landed */
	:: d_step { state == NONE ->                                      /* a claim: the next generation */
		state = GRANTED; heard = false; held = false; applied = false; stopped = false; ours = false;
		late_omission = late_omission || (sync == ASKING && omits); good = false; late_good = false; late_grant = 0; last = 0 }
	:: d_step { state == GRANTED -> state = WITHDRAWN; ours = false }
	:: d_step { state != NONE && heard -> over() }
	:: d_step { state == WITHDRAWN && last == 0 -> over() }
	:: d_step { sync == ASKING -> sync = WAITING;
		heard = heard || good || (OMISSION_COUNTS && omits && state == WITHDRAWN) }
	:: d_step { late_good -> late_good = false; heard = true }
	:: d_step { late_omission -> late_omission = false; heard = heard || (OMISSION_COUNTS && state == WITHDRAWN) }
	:: d_step { sync == WAITING ->
		grants = (state == GRANTED && valid > 0 && !heard); ours = (state != NONE && (grants || state == WITHDRAWN));
		if :: transit < valid -> ttl_answer = valid - transit :: else -> ttl_answer = 0 fi;
		if :: grants && valid > last -> last = valid :: else fi;
		sync = ANSWERED; transit = 0 }
	od
}

inline count_down(t) { if :: t > 0 -> t-- :: else fi }

active proctype Time() {
	do
	:: d_step { true ->
		count_down(valid); count_down(last); count_down(late_grant);
#ifndef NO_SEND_TIME        /* cure removed: the ttl counts from when the answer is received */
		if :: sync == ASKING && transit < K -> transit++ :: else fi;
		count_down(ttl_answer);
#endif
		count_down(ttl);
		if :: ttl == 0 -> held = false :: else fi }
	od
}
