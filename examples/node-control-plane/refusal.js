// What the control plane refuses by itself, beside what the library does.

export class Refusal extends Error {
  /** `status` is HTTP's; `headers` go with it. */
  constructor(status, code, detail, headers = {}) {
    super(detail);
    Object.assign(this, { status, code, headers });
  }
}
