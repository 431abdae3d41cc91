/*
 * One board under its agreement, in the hands of its operator: the model that `npm run model` searches, and that the
 * recorded traces of test/model/traces/ were drawn from. docs/model.md says what is modeled, and what is not.
 *
 * One process. The governor serves one call at a time, and nothing that others do meanwhile touches what the call reads, so
 * their steps stand between calls. What can come between any two steps of a call is a power cut: powerMayGo().
 *
 * Three parties: two license, one pauses, two resume. The operator has one party's key, holds every message that was
 * ever signed, and delivers any of them at any time, as often as he likes, or never. A message need not be kept as such: what
 * the parties signed determines it, so "replay" is delivering it again.
 */
#ifndef WITHOUT
#define WITHOUT 0
#endif
#ifndef TRACED
#define TRACED 0
#endif

/* The guards that a mutant lacks. The claim that each holds up: test/model/searches.ts. */
#define CHALLENGE 1
#define SEQUENCE 2
#define EPOCH 3
#define EPOCH_TO_OPEN 4
#define QUORUM 5
#define RESUME_QUORUM 6
#define ORDER_EPOCH 7
#define RECORD_FIRST 9
#define COUNTER 10
#define BOOT_RECORD 11
#define SECOND_RECORD 12
#define LOST_COUNTS 13
#define DRAIN_ONCE 14
#define LEASES 15
#define WITHHELD 16
#define DIGEST 17
#define TIME_NONCES 18
#define PAUSE_RECORD 19

/* The bounds. */
#ifndef EPOCHS
#define EPOCHS 2
#endif
#ifndef LICENSES
#define LICENSES 2
#endif
#ifndef CUTS
#define CUTS 2
#endif
#ifndef FLASH
#define FLASH 1  /* whether the flash is copied and put back */
#endif
#ifndef DEFECTS
#define DEFECTS FLASH /* whether it can take no more writes */
#endif
#define BUDGET_MOST 3
#define DRAIN_MOST 1
#define LEASE 2          /* slice periods */
#define DRAIN_PERIODS 1

byte cuts;

/* --- what the parties and the time authority have signed --- */

mtype chain[EPOCHS + 2]; /* the parties' orders by epoch; 0 where there is none */
byte last;               /* epoch of the newest */
byte lastAtTick, lastBefore; /* what it was as this slice period began, and the one before */
typedef License { byte sequence; byte epoch; bit live; bit offline }
License licenses[LICENSES + 1];
byte issued;
#define pausedByParties (chain[last] == PAUSE)

/* --- ghosts: what the claims speak of --- */

byte newest, worked, drained; /* the newest sequence that work was done under, and how much of either kind */
byte installed;               /* the highest sequence that was accepted */
byte epochSaid;               /* the highest epoch of which the governor said OK */
bit pauseSaid;                /* it said OK to a pause, and no quorum's order that lifts it has come since */
byte pausedFor;               /* slice periods since the parties ordered the pause that is the newest order */
bit swapped;                  /* the operator has put other flash in since the last whole boot */
bit unlicensed, replayed, reopened, pausedWork, leaked, bricked;
byte honest;                  /* not 0: the operator gives in: only the parties act from here */
byte failures;                /* refusals that count, in traces only: they stay below the back-off */

byte raises, wasPaused;
byte e, i, voices;
mtype call, what;

#define mayCut (!honest && cuts < CUTS)

inline countWork() {
  if
  :: source == DRAIN -> drained++
  :: else -> worked++; pausedWork = pausedWork || pauseSaid;
     unlicensed = unlicensed || !ram.licensed || !timeKnown;
     leaked = leaked || (pausedByParties && pausedFor >= LEASE)
  fi;
  if
  :: ram.sequence > newest -> newest = ram.sequence; worked = (source == DRAIN -> 0 : 1); drained = 1 - worked
  :: else -> replayed = replayed || ram.sequence < newest
  fi
}

inline noteOpening() {
  reopened = reopened || ram.licenseEpoch < epochSaid
}

inline noteLost() {
  bricked = bricked || !swapped
}

ltl licensed   { [] !unlicensed }
ltl once       { [] (!replayed && worked <= BUDGET_MOST && drained <= DRAIN_MOST) }
ltl counted    { [] (!whole || (ram.ahead >= 0 && rec.ahead >= 0)) }
ltl epochs     { [] (!reopened && (!whole || ram.epoch >= epochSaid)) }
ltl paused     { [] (!pausedWork && (!whole || !pauseSaid || ram.action == PAUSE)) }
ltl withheld   { [] !leaked }
ltl recovers   { [] !bricked }
ltl table      { [] !rowless }

/* All of them in one search. */
ltl all { [] (!unlicensed && !replayed && worked <= BUDGET_MOST && drained <= DRAIN_MOST &&
  (!whole || (ram.ahead >= 0 && rec.ahead >= 0 && ram.epoch >= epochSaid)) &&
  (!whole || !pauseSaid || ram.action == PAUSE) &&
  !reopened && !pausedWork && !leaked && !bricked && !rowless) }

/* Seeking a trace: a run that makes the move of one row of the table breaks an assertion when its call is over, uncut. */
#ifdef SEEK
bit sought;
#define took(row) sought = (sought || row == SEEK)
#define tookNothing sought = 0
#else
#define sought 0
#define took(row) skip
#define tookNothing skip
#endif

#include "gate.pml"
#include "governor.pml"

/* --- one line of a trace --- */

inline told() {
  if
  :: state == TAMPERED || !whole -> printf("SAYS %e %e\n", verdict, state)
  :: else -> printf("SAYS %e %e %d %d %d %d %d\n", verdict, state,
       ram.epoch, ram.sequence, ram.budget, ram.out, ram.ahead)
  fi
}

inline swapFlash() {
  d_step {
    copy(ram, rec); copy(rec, img); copy(img, ram); wipe(ram);
    what = recIs; recIs = imgIs; imgIs = what; what = 0;
    if :: recIs == GONE -> recIs = OLD :: else fi;
    swapped = 1
  }
}

/* Of everything right but the second signature. */
inline forgeLicense() {
  d_step {
    licenses[LICENSES].sequence = ram.sequence + 1; licenses[LICENSES].epoch = ram.epoch;
    licenses[LICENSES].live = 1; licenses[LICENSES].offline = 0
  }
}

inline newChallenge() {
  d_step {
    slice = 0;
    do :: slice <= LICENSES -> licenses[slice].live = 0; slice++ :: else -> break od;
    slice = 0
  }
}

/* --- what the governor does with each message --- */

inline acceptLicense(l, quorum) {
  d_step {
    if
    :: !whole -> verdict = GATE_LOCKED
    :: whole && HAS(QUORUM) && !quorum -> verdict = COSE_QUORUM
    :: else ->
       if
       :: HAS(EPOCH) && licenses[l].epoch != ram.epoch -> verdict = LICENSE_EPOCH
       :: else ->
          if
          :: ram.action == PAUSE -> verdict = LICENSE_PAUSED
          :: else ->
             if
             :: HAS(SEQUENCE) && licenses[l].sequence <= ram.sequence -> verdict = LICENSE_SEQUENCE_REPLAYED
             :: else ->
                if
                :: HAS(CHALLENGE) && !licenses[l].live && !licenses[l].offline -> verdict = LICENSE_NONCE
                :: else -> verdict = (timeKnown -> OK : LICENSE_TIME_UNKNOWN)
                fi
             fi
          fi
       fi
    fi
  }
  if
  :: verdict == OK ->
     unlicensed = unlicensed || !(quorum) || licenses[l].epoch != ram.epoch ||
       !(licenses[l].live || licenses[l].offline) || licenses[l].sequence <= installed;
     closeCredit();
     d_step {
       ram.sequence = licenses[l].sequence; ram.licenseEpoch = licenses[l].epoch; ram.licensed = 1;
       ram.budget = BUDGET_MOST; ram.drain = DRAIN_MOST; failures = 0
     }
     newChallenge();
     commitOrFail();
     if
     :: ok ->
        installed = ram.sequence;
        if
        :: flows ->
           judgeFlow();
           if :: why == OK -> changeRate(); refills = 1 :: else -> endFlow() fi
        :: else ->
           if :: state == DRAINING -> endDrain() :: else fi;
           opens = 1
        fi
     :: else -> verdict = JOURNAL_WRITE
     fi
  :: else
  fi
}

/* An order that raises what the board may do takes two voices, any other one. The parties' own are a chain. */
inline acceptOrder(e, what, own, voices) {
  d_step {
    slice = e - 1;
    do :: slice > 0 && chain[slice] == 0 -> slice-- :: else -> break od; /* the one before */
    raises = (what == RESUME || (what == SLOW && ram.action == PAUSE));
    if
    :: !whole -> verdict = GATE_LOCKED
    :: else ->
       if
       :: HAS(ORDER_EPOCH) && e <= ram.epoch -> verdict = ORDER_EPOCH_OLD
       :: else ->
          if
          :: own && what == SLOW && (ram.rogue || ram.epoch != slice) -> verdict = ORDER_PREVIOUS
          :: else ->
             if
             :: HAS(RESUME_QUORUM) && raises && voices < 2 -> verdict = COSE_QUORUM
             :: else -> verdict = (what == PAUSE || timeKnown -> OK : TIME_UNKNOWN)
             fi
          fi
       fi
    fi;
    slice = 0
  }
  if
  :: verdict == OK ->
     if :: own && what != PAUSE -> pauseSaid = 0 :: else fi;
     wasPaused = (ram.action == PAUSE);
     d_step { ram.epoch = e; ram.rogue = !(own); if :: what != ELSEWHERE -> ram.action = what :: else fi }
     if
     :: what == PAUSE -> pause()
     :: what == SLOW || what == RESUME -> letFlow()
     :: else
     fi;
     if :: drains == NEVER && (what != PAUSE || HAS(PAUSE_RECORD)) -> commitOrFail() :: else fi
  :: else
  fi
}

inline pause() {
  if
  :: flows -> closeCredit(); startDrain(ON_PAUSED)
  :: state == DRAINING -> closeCredit(); drains = NOW
  :: state == IDLE -> move(ON_PAUSED)
  :: else
  fi
}

inline letFlow() {
  if
  :: flows -> changeRate(); refills = 1
  :: else ->
     if :: wasPaused -> closeCredit(); move(ON_RESUMED) :: else fi;
     opens = 1
  fi
}

/* The governor has told that it obeys. */
inline noteOrder() {
  if
  :: verdict == OK -> epochSaid = e; pauseSaid = pauseSaid || what == PAUSE
  :: else
  fi
}

/* A proof answers a nonce of this boot, a beacon is for all. Either is as old as its age and names an epoch. */
inline acceptTime(age, e, proof) {
  d_step {
    if
    :: e < ram.epoch -> verdict = TIME_EPOCH_OLD
    :: e >= ram.epoch && !(proof) && !timeKnown -> verdict = TIME_UNKNOWN
    :: else -> verdict = OK;
       timeKnown = 1;
       if :: age < leaseAge -> leaseAge = age :: else fi;
       if :: e > heard -> heard = e :: else fi
    fi
  }
  if :: verdict == OK -> runGate(); opens = 1 :: else fi
}

/* The quorum's word on all that a lost journal held: as the parties know it. */
inline acceptRecovery(voices) {
  if
  :: !lost -> verdict = RECOVERY_NOT_NEEDED
  :: lost && voices < 2 -> verdict = COSE_QUORUM
  :: else ->
     verdict = OK;
     d_step {
       wipe(ram);
       ram.epoch = last; ram.action = (last > 0 -> chain[last] : RESUME);
       slice = 0;
       do
       :: slice < issued && licenses[slice].sequence > ram.sequence -> ram.sequence = licenses[slice].sequence
       :: slice < issued && licenses[slice].sequence <= ram.sequence -> slice++
       :: else -> break
       od;
       slice = 0;
       /* Said only when it is done; what it takes back it may take back from now on. */
       epochSaid = MIN(epochSaid, last); pauseSaid = pauseSaid && pausedByParties;
       lost = 0; whole = 1
     }
     newChallenge();
     commitOrFail();
     if :: ok && HAS(SECOND_RECORD) -> commitOrFail() :: else fi;
     if :: ok -> leaveLocked() :: else fi
  fi
}

/* --- what the parties sign --- */

inline signOrder(what) {
  d_step {
    last = (ram.epoch > last -> ram.epoch : last) + 1;
    chain[last] = what; pausedFor = 0
  }
}

/* For the evidence that a board gives of itself. */
inline signLicense(isOffline) {
  d_step {
    licenses[issued].sequence = ram.sequence + 1; licenses[issued].epoch = ram.epoch;
    licenses[issued].live = !(isOffline); licenses[issued].offline = isOffline;
    issued++
  }
}

inline passTime() {
  d_step {
    lastBefore = lastAtTick; lastAtTick = last;
    if :: pausedByParties && pausedFor < LEASE -> pausedFor++ :: else fi;
    if :: leaseAge < UNKNOWN -> leaseAge++ :: else fi;
    if :: drainLeft > 0 -> drainLeft-- :: else fi;
    if :: whole -> aged = 1; overdue = TRACED :: else fi;
    if :: granted == NOW -> granted = EARLIER :: else fi
  }
}

/* An epoch that a time authority can have named `age` slice periods ago. */
inline pickEpoch(age) {
  e = (age == 0 -> lastAtTick : lastBefore);
  i = (age == 0 -> last : lastAtTick);
  do
  :: e < i -> e++; if :: chain[e] != 0 -> break :: else fi
  :: break
  od
}

#define mayFail (!TRACED || failures < 3)

inline countFailure() {
  if
  :: whole && (verdict == COSE_QUORUM || verdict == LICENSE_SEQUENCE_REPLAYED || verdict == LICENSE_NONCE) &&
     (TRACED || defect) ->
     failures = failures + TRACED; commitOrFail()
  :: else
  fi
}

mtype = { TICK, WORK, DRAIN_DONE, LICENSE, ORDER, TIME, RECOVERY, POWER_ON, NOTHING }

/* Nothing comes after: one end is as good as another. */
inline endAll() {
  d_step {
    forget(); wipe(rec); wipe(img); recIs = GONE; imgIs = GONE; last = 0; lastAtTick = 0; lastBefore = 0; issued = 0;
    newest = 0; worked = 0; drained = 0; installed = 0; epochSaid = 0; pauseSaid = 0; pausedFor = 0; swapped = 0;
    failures = 0; cuts = 0;
    slice = 0;
    do
    :: slice <= LICENSES ->
       licenses[slice].sequence = 0; licenses[slice].epoch = 0; licenses[slice].live = 0; licenses[slice].offline = 0;
       slice++
    :: else -> break
    od;
    slice = 0;
    do :: slice <= EPOCHS + 1 -> chain[slice] = 0; slice++ :: else -> break od;
    slice = 0
  }
}

/* Anybody's next step: a message for the governor, or something beside it. */
inline choose() {
  if
  :: !on && state != TAMPERED -> call = POWER_ON; printf("DO power-on\n")
  :: on && mayCut -> printf("DO power-cut\n"); goto dark
  :: state != TAMPERED -> call = TICK; printf("DO tick\n")
  :: credit > 0 -> call = WORK; printf("DO work\n")
  :: whole -> call = DRAIN_DONE; printf("DO drain-done\n")
  :: on -> printf("DO tamper\n"); move(ON_TAMPERED); verdict = OK; told(); call = NOTHING; endAll()

  /* The operator, with the board on the bench. */
  :: FLASH && state != TAMPERED && fits(recIs) -> call = NOTHING; printf("DO copy-flash\n"); d_step { copy(img, rec); imgIs = recIs }
  :: FLASH && !on && state != TAMPERED && imgIs != GONE -> call = NOTHING; printf("DO swap-flash\n"); swapFlash()
  :: FLASH && !on && state != TAMPERED && recIs != OLD -> call = NOTHING; printf("DO old-flash\n");
     d_step { recIs = OLD; swapped = 1; if :: HAS(COUNTER) -> wipe(rec) :: else fi }
  :: DEFECTS && on && !defect -> call = NOTHING; printf("DO defect\n"); defect = 1

  /* The parties sign, for evidence that the board gave of itself, and orders at any time. */
  :: state != TAMPERED && last < EPOCHS && ram.epoch < EPOCHS ->
     call = NOTHING;
     if :: what = PAUSE :: what = SLOW :: what = RESUME fi;
     signOrder(what); printf("DO sign-order %d %e\n", last, what)
  :: whole && issued < LICENSES && !pausedByParties && ram.epoch == last && !ram.rogue ->
     call = NOTHING;
     if :: i = 0 :: i = 1 fi;
     printf("DO sign-license %d %d\n", issued, i); signLicense(i)

  /* The operator delivers what they signed, and what he signs with one party's key. */
  :: on && issued > 0 && mayFail ->
     call = LICENSE; voices = 2;
     select (i : 0 .. LICENSES - 1);
     if :: i >= issued -> i = issued - 1 :: else fi;
     printf("DO license %d\n", i)
  :: on && mayFail -> call = LICENSE; voices = 1; i = LICENSES; forgeLicense(); printf("DO license-by-one\n")
  :: on && last > 0 ->
     call = ORDER;
     select (e : 1 .. EPOCHS);
     if :: chain[e] == 0 -> e = last :: else fi;
     what = chain[e]; voices = (what == PAUSE -> 1 : 2);
     printf("DO order %d\n", e)
  :: on && ram.epoch < EPOCHS && mayFail ->
     call = ORDER; voices = 0; e = ram.epoch + 1;
     if :: what = PAUSE :: what = SLOW :: what = RESUME :: what = ELSEWHERE fi;
     printf("DO order-by-one %d %e\n", e, what)
  :: whole ->
     call = TIME; voices = 1; pickEpoch(0); i = 0; printf("DO proof %d\n", e)
  :: whole && !HAS(TIME_NONCES) ->
     call = TIME; voices = 1; e = ram.epoch; printf("DO proof-again %d\n", e)
  :: whole ->
     call = TIME;
     if :: what = 0 :: what = 1 fi;
     pickEpoch(what); i = what; printf("DO beacon %d %d\n", i, e)
  :: on && mayFail ->
     call = RECOVERY;
     if :: voices = 1 :: voices = 2 fi;
     printf("DO recovery %d\n", voices)
  fi
}

/* After everything that can have happened, the parties alone: step by step to an open gate. */
inline chooseHonest() {
  if
  :: honest == 1 -> defect = 0; if :: !whole && on -> goto dark :: else fi;
     call = (whole -> NOTHING : POWER_ON)
  :: honest == 2 -> call = (lost -> RECOVERY : NOTHING); voices = 2
  :: honest == 3 -> what = RESUME; signOrder(what); what = 0; call = TIME; voices = 1; e = last; i = 0
  :: honest == 4 -> call = ORDER; voices = 2; what = RESUME; e = last
  :: honest == 5 -> call = TIME; voices = 1; e = last; i = 0
  :: honest == 6 -> call = LICENSE; voices = 2; i = issued; signLicense(0)
  :: honest == 7 -> assert(state == OPEN); call = TICK
  :: honest == 8 -> assert(state == OPEN && credit > 0); call = NOTHING
  fi;
  honest++
}

inline serve() {
  if
  :: call == POWER_ON -> newChallenge(); boot(); if :: whole -> swapped = 0 :: else fi
  :: call == TICK -> passTime(); verdict = OK; if :: whole -> runGate() :: else fi
  :: call == WORK -> retire(); ram.out = credit; verdict = OK; refills = (credit == 0)
  :: call == DRAIN_DONE ->
     verdict = (state == DRAINING -> OK : GATE_NOT_OPEN);
     if :: state == DRAINING -> endDrain(); opens = 1 :: else fi
  :: call == LICENSE -> acceptLicense(i, (voices == 2))
  :: call == ORDER -> acceptOrder(e, what, (voices > 0), (voices == 2 -> 2 : 1))
  :: call == TIME -> acceptTime(i, e, voices == 1)
  :: call == RECOVERY -> acceptRecovery(voices)
  :: else
  fi;
  finish();
  if :: state == LOCKED && verdict == OK && (call == ORDER || call == RECOVERY) -> verdict = JOURNAL_WRITE :: else fi;
  if
  :: call == ORDER -> noteOrder()
  :: call == RECOVERY && verdict == OK -> epochSaid = last; pauseSaid = pausedByParties; installed = ram.sequence
  :: else
  fi
}

inline clean() {
  d_step {
    e = 0; i = 0; voices = 0; what = 0; call = 0; why = 0; verdict = 0; ok = 0; changed = 0; records = 0;
    opens = 0; refills = 0; drains = NEVER; raises = 0; wasPaused = 0;
    if :: !honest -> licenses[LICENSES].sequence = 0; licenses[LICENSES].epoch = 0; licenses[LICENSES].live = 0 :: else fi
  }
}

active proctype board() {
  atomic { wipe(ram); wipe(rec); wipe(img); clean() }
  do
  :: atomic { state != TAMPERED && honest <= 8 ->
#ifdef REVERSIBLE
       if
       :: !honest -> choose()
       :: !honest && state != TAMPERED -> honest = 1; call = NOTHING
       :: honest -> chooseHonest()
       fi;
#else
       choose();
#endif
       serve();
       if :: call != NOTHING && on -> countFailure(); told() :: else fi;
       assert(!sought);
       if
       :: false ->
dark:     forget(); cuts++; tookNothing; printf("SAYS OFF\n")
       :: else
       fi;
       clean()
     }
  :: state == TAMPERED || honest > 8 -> break
  od
}
