/** Names and units: JavaScript's are camelCase and milliseconds, the core's snake_case and seconds. */
export {};
