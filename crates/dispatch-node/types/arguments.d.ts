/** Arguments: what is none is refused, before anything is asked of the native part. */
export {};
