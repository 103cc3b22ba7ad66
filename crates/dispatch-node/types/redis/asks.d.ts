/** What other replicas are asked to do, and who has answered. */
export {};
