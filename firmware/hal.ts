/**
 * What the silicon gives the governor: all there is. Addresses are offsets in the governor's own memory, amounts of
 * work are operations or bytes (`protocol/classes.ts`), time is oscillator ticks since power-up.
 */

/** Copies `length` bytes of flash from `address` to `destination`. */
export declare function flashRead(address: u32, destination: usize, length: u32): void;
/** Programs within one page: bits only fall (NOR). */
export declare function flashProgram(address: u32, source: usize, length: u32): void;
/** Sets every bit of a sector. */
export declare function flashErase(sector: u32): void;
export declare function flashSectors(): u32;

/** One 32-bit word of the fuses; the locked secret reads as zero. */
export declare function fuseRead(word: u32): u32;
/** Burns the set bits of `bits`; a burnt bit stays. */
export declare function fuseBurn(word: u32, bits: u32): void;

/** The monotonic counter that survives power loss. */
export declare function counterRead(): u32;
export declare function counterStep(): void;
/** Steps the counter makes in its life. */
export declare function counterLife(): u32;

export declare function ticks(): u64;
export declare function trngFill(destination: usize, length: u32): void;
/** Latched tamper sensors, one bit each. */
export declare function tamperRead(): u32;

/** What the accelerator has retired of a class since power-up. */
export declare function workRead(engineClass: u32): u64;
/** Commands refused because the class never had credit, since power-up. */
export declare function deniedRead(engineClass: u32): u32;
/** Times the class stood still for want of credit, since power-up. */
export declare function throttledRead(engineClass: u32): u32;

/** Adds credit to a class's register. */
export declare function gateGrant(engineClass: u32, amount: u64): void;
/** What is left in a class's register. */
export declare function creditRead(engineClass: u32): u64;
/** Zeroes every credit register at once. */
export declare function gateClose(): void;
