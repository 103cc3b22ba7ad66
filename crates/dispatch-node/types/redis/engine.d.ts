/** The engine: Redis or Valkey, its keys and its scripts. */
export {};
