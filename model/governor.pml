/*
 * The governor: what it keeps in RAM and in flash, and what it does in one call (firmware/gate/, firmware/journal/,
 * firmware/boot/boot.ts). Work comes in units; at full rate a slice is two of them, under a slow order one.
 *
 * Each inline is named after the function that it stands for; what a call ends with stands once, in finish(). HAS(guard) is true but in a mutant of the model, which is
 * compiled with -DWITHOUT=guard and must break a claim.
 */
#define SLICE 2
#define UNKNOWN LEASE /* an age at which a statement is worth nothing any more */

#define HAS(guard) (WITHOUT != guard)
#define MIN(a, b) ((a) < (b) -> (a) : (b))

mtype = { NONE, BUDGET, DRAIN }           /* where credit comes from */
mtype = { NEVER, EARLIER, NOW }           /* when credit was granted last: NOW is within this slice period */
mtype = { RESUME, SLOW, PAUSE, ELSEWHERE } /* orders; the last one is for other devices */
mtype = { GONE, OLD, LEVEL, AHEAD }       /* the number of a record, beside the monotonic counter */
mtype = { OK, GATE_LOCKED, GATE_NOT_OPEN, GATE_LICENSE_ENDED, GATE_ORDER_WITHHELD, GATE_LEASE_LAPSED,
  LICENSE_EPOCH, LICENSE_PAUSED, LICENSE_SEQUENCE_REPLAYED, LICENSE_NONCE, LICENSE_TIME_UNKNOWN, COSE_QUORUM,
  ORDER_EPOCH_OLD, ORDER_PREVIOUS, TIME_UNKNOWN, TIME_STALE, TIME_NONCE, TIME_EPOCH_OLD, RECOVERY_NOT_NEEDED,
  JOURNAL_WRITE, JOURNAL_ROLLBACK, TAMPER }

/* What a journal record holds. */
typedef Ledger {
  byte epoch;   /* of the newest order */
  bit rogue;    /* it is not the parties' own: another digest */
  mtype action; /* of the order in force */
  byte sequence;
  byte licenseEpoch;
  bit licensed; /* the proof that the signature check rest */
  byte budget;
  byte drain;
  byte out;     /* reserved for what the registers hold */
  short ahead   /* totals + out - work really done: never below 0, or work is lost */
}

Ledger ram;
Ledger rec; mtype recIs = LEVEL; /* the newest record in flash */
Ledger img; mtype imgIs = GONE;  /* a copy of the flash that the operator keeps */
bit defect;                      /* the flash takes no more writes */

bit on, whole, lost;             /* power; the journal fits the counter; it was found not to */
byte credit;                     /* the credit register */
mtype source = NONE, granted = NEVER;
byte tokens;                     /* the bucket of the rate cap */
bit aged, overdue;               /* a slice period has passed since the bucket was filled; since the last record */
byte drainLeft;                  /* slice periods */
bit timeKnown;
byte leaseAge = UNKNOWN;         /* of the newest statement of a time authority, in slice periods */
byte heard;                      /* the epoch that the time authorities name */

byte slice, rest, grant, records;
byte ok, changed, opens, refills;
mtype why, verdict;
mtype drains;              /* NEVER, NOW: a drain begins or is limited anew, EARLIER: it goes on */

#define fits(number) (number == LEVEL || number == AHEAD || !HAS(COUNTER))
#define flows (state == OPEN || state == SLOWED)
#define rateSlice (ram.action == SLOW -> SLICE / 2 : SLICE)

inline copy(to, from) {
  to.epoch = from.epoch; to.rogue = from.rogue; to.action = from.action; to.sequence = from.sequence;
  to.licenseEpoch = from.licenseEpoch; to.licensed = from.licensed; to.budget = from.budget; to.drain = from.drain;
  to.out = from.out; to.ahead = from.ahead
}

inline wipe(ledger) {
  ledger.epoch = 0; ledger.rogue = 0; ledger.action = RESUME; ledger.sequence = 0; ledger.licenseEpoch = 0;
  ledger.licensed = 0; ledger.budget = 0; ledger.drain = 0; ledger.out = 0; ledger.ahead = 0
}

/* Work retires; every count of it is one less ahead. */
inline retire() {
  credit--; ram.ahead--;
  if :: fits(recIs) -> rec.ahead-- :: else fi;
  if :: fits(imgIs) -> img.ahead-- :: else fi;
  countWork()
}

/* The power may go here; the accelerator may have used its registers up to then. */
inline powerMayGo(stage) {
  if
  :: mayCut ->
     do :: credit > 0 && !TRACED -> retire() :: break od;
     printf("CUT %d %d\n", records, stage);
     goto dark
  :: else
  :: mayCut
  fi
}

/* --- the journal --- */

inline stepCounter() {
  if :: recIs == AHEAD -> recIs = LEVEL :: else recIs = OLD fi;
  if
  :: imgIs == AHEAD -> imgIs = LEVEL
  :: imgIs == LEVEL -> imgIs = OLD; if :: HAS(COUNTER) -> wipe(img) :: else fi
  :: else
  fi
}

/* journalCommit: record, step of the counter, and only then whatever the record allows. */
inline commit() {
  powerMayGo(0);
  if
  :: defect -> ok = 0
  :: else ->
     d_step { copy(rec, ram); recIs = AHEAD }
     powerMayGo(1);
     d_step { stepCounter(); records++; overdue = 0; ok = 1 }
     powerMayGo(2)
  fi
}

inline failClosed() {
  closeCredit(); whole = 0; move(ON_FAILED)
}

inline commitOrFail() {
  commit();
  if :: !ok -> failClosed() :: else fi
}

/* --- credit --- */

inline collectTokens() {
  tokens = (aged -> rateSlice : MIN(tokens, rateSlice)); aged = 0
}

inline openCredit(from) {
  source = from; granted = NEVER; collectTokens()
}

/* Registers to zero; what was not used goes back. */
inline closeCredit() {
  d_step {
    ram.out = MIN(ram.out, credit); credit = 0;
    changed = (ram.out > 0 || (source != NONE && granted != NEVER));
    if
    :: source == BUDGET -> ram.budget = ram.budget + ram.out; tokens = tokens + ram.out
    :: source == DRAIN -> ram.drain = ram.drain + ram.out
    :: else
    fi;
    ram.ahead = ram.ahead - ram.out; ram.out = 0; source = NONE; granted = NEVER
  }
}

inline give() {
  credit = credit + grant; granted = NOW
}

/* Settles, reserves, grants; at most once in a slice period. */
inline refill() {
  ok = 1; grant = 0;
  ram.out = credit;
  if
  :: granted == NOW
  :: else ->
     collectTokens();
     judgeFlow();
     if
     :: (source == BUDGET && flows && why == OK) || (source == DRAIN && state == DRAINING && drainLeft > 0) ->
        d_step {
          slice = (source == BUDGET -> rateSlice : SLICE);
          rest = (source == BUDGET -> MIN(ram.budget, tokens) : ram.drain);
          if
          :: 2 * ram.out <= slice && ram.out < slice -> grant = MIN(slice - ram.out, rest)
          :: else
          fi;
          if
          :: source == BUDGET -> ram.budget = ram.budget - grant; tokens = tokens - grant
          :: else -> ram.drain = ram.drain - grant
          fi;
          ram.out = ram.out + grant; ram.ahead = ram.ahead + grant;
          if :: !HAS(RECORD_FIRST) && grant > 0 -> give() :: else fi
        }
        if
        :: grant > 0 ->
           commit();
           if :: ok && HAS(RECORD_FIRST) -> give() :: else fi
        :: grant == 0 && overdue -> commit()
        :: else
        fi
     :: else
     fi
  fi;
  slice = 0; rest = 0; grant = 0
}

inline refillOrFail() {
  refill();
  if :: !ok -> failClosed() :: else fi
}

/* --- conditions --- */

inline judgeStarved() {
  if
  :: HAS(WITHHELD) && heard > ram.epoch -> why = GATE_ORDER_WITHHELD
  :: HAS(DIGEST) && heard == ram.epoch && timeKnown && ram.rogue -> why = GATE_ORDER_WITHHELD
  :: else -> why = (leaseAge < LEASE || !HAS(LEASES) -> OK : GATE_LEASE_LAPSED)
  fi
}

inline judgeFlow() {
  d_step {
    if
    :: !ram.licensed -> why = GATE_NOT_OPEN
    :: ram.licensed && ram.budget == 0 && ram.out == 0 -> why = GATE_LICENSE_ENDED
    :: else -> judgeStarved()
    fi
  }
}

/* --- the gate --- */

inline openIfAllowed() {
  judgeFlow();
  if
  :: state == IDLE && why == OK && timeKnown && ram.action != PAUSE &&
     (ram.licenseEpoch == ram.epoch || !HAS(EPOCH_TO_OPEN)) ->
     noteOpening();
     openCredit(BUDGET);
     if :: ram.action == SLOW -> move(ON_OPENED_SLOW) :: else -> move(ON_OPENED) fi;
     refills = 1
  :: else
  fi
}

inline endFlow() {
  closeCredit(); move(ON_ENDED);
  if :: changed -> commitOrFail() :: else fi
}

inline endDrain() {
  closeCredit();
  if :: ram.action == PAUSE -> move(ON_DRAINED_PAUSED) :: else -> move(ON_DRAINED_IDLE) fi;
  if :: changed -> commitOrFail() :: else fi
}

inline keepDraining() {
  if :: drainLeft > 0 -> refillOrFail() :: else fi;
  if
  :: state == DRAINING && (drainLeft == 0 || (ram.out == 0 && ram.drain == 0)) -> endDrain()
  :: else
  fi
}

inline continueDrain() {
  openCredit(DRAIN);
  if :: !HAS(DRAIN_ONCE) -> ram.drain = DRAIN_MOST :: else fi;
  commitOrFail()
}

inline startDrain(event) {
  drainLeft = DRAIN_PERIODS; move(event); drains = NOW
}

/* The timer, and whatever else makes the gate look again. */
inline runGate() {
  if
  :: flows ->
     judgeFlow();
     if
     :: why == OK -> refills = 1
     :: why == GATE_ORDER_WITHHELD || why == GATE_LEASE_LAPSED -> closeCredit(); startDrain(ON_STARVED)
     :: else -> endFlow()
     fi
  :: state == DRAINING -> drains = EARLIER
  :: else -> opens = 1
  fi
}

/* The rate changed while work flows: the registers hold slices of the old one. */
inline changeRate() {
  closeCredit(); openCredit(BUDGET);
  if
  :: ram.action == SLOW && state == OPEN -> move(ON_SLOWED)
  :: ram.action != SLOW && state == SLOWED -> move(ON_UNSLOWED)
  :: else
  fi
}

/* refillGate: also what the accelerator calls when a register runs low. */
inline refillGate() {
  judgeFlow();
  if
  :: (flows && why == OK) || (state == DRAINING && drainLeft > 0) -> refillOrFail()
  :: else
  fi
}

/* What the calls end with, each at most once and in this order: it stands here once, and they ask for it. */
inline finish() {
  if :: drains == NOW -> continueDrain() :: else fi;
  if :: drains != NEVER && state == DRAINING -> keepDraining() :: else fi;
  if :: opens -> openIfAllowed() :: else fi;
  if :: refills -> refillGate() :: else fi
}

/* --- power --- */

inline forget() {
  on = 0; whole = 0; lost = 0; credit = 0; source = NONE; granted = NEVER; tokens = 0; aged = 0; overdue = 0;
  drainLeft = 0; timeKnown = 0; leaseAge = UNKNOWN; heard = 0; records = 0;
  defect = 0; wipe(ram);
  if :: state != TAMPERED -> state = LOCKED :: else fi
}

inline leaveLocked() {
  whole = 1; tokens = (ram.action == SLOW -> 0 : SLICE); aged = 0;
  if :: ram.action == PAUSE -> move(ON_BOOTED_PAUSED) :: else -> move(ON_BOOTED) fi
}

/* journalOpen and startSession: the newest record equals the counter or is one ahead; the first record says so. */
inline boot() {
  on = 1; verdict = OK;
  if
  :: fits(recIs) ->
     d_step {
       if :: recIs == AHEAD -> stepCounter() :: else fi;
       copy(ram, rec);
       if :: !HAS(LOST_COUNTS) -> ram.ahead = ram.ahead - ram.out :: else fi;
       ram.out = 0
     }
     if :: HAS(BOOT_RECORD) -> commit() :: else -> ok = 1 fi;
     if :: ok -> leaveLocked() :: else fi
  :: else -> lost = 1; verdict = JOURNAL_ROLLBACK; noteLost()
  fi
}
