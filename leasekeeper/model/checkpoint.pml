/*
 * The checkpoint of one lease, written by N owners in turn; writes land late, twice
 * or never, answers are lost. Checked for I2: the row's checkpoint never goes back,
 * and never passes what some owner has finished.
 *
 * Every write's condition names owner and generation: a change of owner voids all
 * writes in flight, so the soup of writes is emptied there (lease.pml says why).
 * TOP stands for SHARD_END.
 */
#ifndef TOP
#define TOP 5
#endif
#define AT(a, b) ((a) * (TOP + 1) + (b))

#ifdef NO_S1                /* the condition names owner and generation only */
#define HOLDS(a) true
#else
#define HOLDS(a) (row == (a))
#endif

byte row;                   /* checkpoint in the table */
byte known;                 /* the last checkpoint the owner knows to be in the row */
byte done;                  /* how far the owner's consumer has processed, contiguously */
byte furthest;              /* how far any owner has processed */
bool soup[AT(TOP, TOP) + 1];/* writes in flight: from, to */
byte sent;                  /* the write waited for, 0 when none */
bool landed;                /* it has landed, the answer is on its way */

active proctype Owner() {
	byte i;
	do
	:: d_step { done < TOP -> done++; if :: done > furthest -> furthest = done :: else fi }
	:: d_step { sent == 0 && done > known -> sent = done; landed = false; soup[AT(known, done)] = true }
	:: d_step { sent > 0 && landed -> known = sent; sent = 0; landed = false }
	:: d_step { sent > 0 -> sent = 0; landed = false }                  /* timed out: the next one may say more */
	:: d_step { known != row && row <= done -> known = row; sent = 0; landed = false } /* a failed one shows the row */
	:: d_step { true ->                                                 /* the next owner claims and resumes from the row */
		for (i : 0 .. AT(TOP, TOP)) { soup[i] = false }
		i = 0; known = row; done = row; sent = 0; landed = false }
	od
}

active proctype Table() {
	byte a, b;
	do
	:: atomic {
		a = 0; b = 0;
		select (a : 0 .. TOP - 1); select (b : 1 .. TOP);
		if
		:: b > a && soup[AT(a, b)] ->
			if
			:: HOLDS(a) ->
				assert(b >= row); assert(b <= furthest);
				row = b;
				if :: sent == b && known == a -> landed = true :: else fi
			:: else
			fi
		:: else
		fi;
		a = 0; b = 0 }
	od
}
