/** Places that this replica holds by leases of the engine: the arithmetic of `limits: 'leases'`. */
export {};
