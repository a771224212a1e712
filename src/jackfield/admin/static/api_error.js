// What goes wrong between page and gateway, as one kind of error.

/** Something the gateway refused, or that did not arrive: {status, type, message, hint, data}. */
export class ApiError extends Error {
  constructor(fields) {
    super(fields.message || "something failed, and it was not said what");
    this.name = "ApiError";
    this.status = fields.status ?? 0;
    this.type = fields.type ?? "";
    this.hint = fields.hint ?? "";
    this.data = fields;
  }
}

/** Nobody answered. */
export const UNREACHED = {
  status: 0,
  type: "unreached",
  message: "the gateway does not answer",
  hint: "start it with: jackfield gateway. Look whether it was done before you do it again",
};

/** A conflict that a person decided to leave. */
export const LEFT = {
  status: 409,
  type: "left",
  message: "not saved: the config was changed elsewhere, and you left it so",
  hint: "look at it as it is now, then try again",
};

/** Read a refusal. */
export async function readError(reply) {
  let said = {};
  try {
    said = (await reply.json()).error ?? {};
  } catch {
    said = { message: `the answer was ${reply.status} ${reply.statusText}, without a word why` };
  }
  return new ApiError({ ...said, status: reply.status });
}
