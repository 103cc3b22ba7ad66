/** Finds the native part, and says what it consists of. */
export {};
