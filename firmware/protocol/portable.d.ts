/** The few AssemblyScript types that the shared protocol tables use, for the host's compiler. */
declare type i32 = number;
declare type StaticArray<T> = T[];
