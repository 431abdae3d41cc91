/*
 * The states of the gate, its events, and what an event does: `TRANSITIONS` of firmware/protocol/states.ts in Promela.
 * Made by `npm run docs` from that table; a test holds it current. Do not edit.
 */

mtype = { LOCKED, IDLE, OPEN, SLOWED, DRAINING, PAUSED, TAMPERED }
mtype = { ON_BOOTED, ON_BOOTED_PAUSED, ON_OPENED, ON_OPENED_SLOW, ON_SLOWED, ON_UNSLOWED, ON_PAUSED, ON_STARVED, ON_DRAINED_PAUSED, ON_DRAINED_IDLE, ON_RESUMED, ON_ENDED, ON_FAILED, ON_TAMPERED }

mtype state = LOCKED;
bit rowless; /* a pair that has no row was met */

/* A pair without a row closes the gate and locks it. */
inline move(event) {
  printf("MOVE %e %e\n", state, event);
  d_step {
    if
    :: state == LOCKED && (event) == ON_BOOTED -> took(0); state = IDLE
    :: state == LOCKED && (event) == ON_BOOTED_PAUSED -> took(1); state = PAUSED
    :: state == IDLE && (event) == ON_OPENED -> took(2); state = OPEN
    :: state == IDLE && (event) == ON_OPENED_SLOW -> took(3); state = SLOWED
    :: state == IDLE && (event) == ON_PAUSED -> took(4); state = PAUSED
    :: state == OPEN && (event) == ON_SLOWED -> took(5); state = SLOWED
    :: state == SLOWED && (event) == ON_UNSLOWED -> took(6); state = OPEN
    :: state == OPEN && (event) == ON_PAUSED -> took(7); state = DRAINING
    :: state == SLOWED && (event) == ON_PAUSED -> took(8); state = DRAINING
    :: state == OPEN && (event) == ON_STARVED -> took(9); state = DRAINING
    :: state == SLOWED && (event) == ON_STARVED -> took(10); state = DRAINING
    :: state == OPEN && (event) == ON_ENDED -> took(11); state = IDLE
    :: state == SLOWED && (event) == ON_ENDED -> took(12); state = IDLE
    :: state == DRAINING && (event) == ON_DRAINED_PAUSED -> took(13); state = PAUSED
    :: state == DRAINING && (event) == ON_DRAINED_IDLE -> took(14); state = IDLE
    :: state == DRAINING && (event) == ON_RESUMED -> took(15); state = IDLE
    :: state == PAUSED && (event) == ON_RESUMED -> took(16); state = IDLE
    :: state == LOCKED && (event) == ON_FAILED -> took(17); state = LOCKED
    :: state == IDLE && (event) == ON_FAILED -> took(18); state = LOCKED
    :: state == OPEN && (event) == ON_FAILED -> took(19); state = LOCKED
    :: state == SLOWED && (event) == ON_FAILED -> took(20); state = LOCKED
    :: state == DRAINING && (event) == ON_FAILED -> took(21); state = LOCKED
    :: state == PAUSED && (event) == ON_FAILED -> took(22); state = LOCKED
    :: state == LOCKED && (event) == ON_TAMPERED -> took(23); state = TAMPERED
    :: state == IDLE && (event) == ON_TAMPERED -> took(24); state = TAMPERED
    :: state == OPEN && (event) == ON_TAMPERED -> took(25); state = TAMPERED
    :: state == SLOWED && (event) == ON_TAMPERED -> took(26); state = TAMPERED
    :: state == DRAINING && (event) == ON_TAMPERED -> took(27); state = TAMPERED
    :: state == PAUSED && (event) == ON_TAMPERED -> took(28); state = TAMPERED
    :: else -> rowless = 1; credit = 0; if :: state != TAMPERED -> state = LOCKED :: else fi
    fi
  }
}
