// The checkout's side of promograph in plain JavaScript: Node 18 or later, no dependencies. docs/checkout.md says why.
// An example to take over and change; one process at a time writes the file of late sales.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

const document = (name) => readFileSync(new URL(`../${name}.graphql`, import.meta.url), 'utf8');
const NAMES = ['CodeValidate', 'CodesValidate', 'CodeHold', 'HoldRelease', 'CodeRedeem', 'CodesRedeem', 'RedemptionRollback'];
const DOCUMENTS = Object.fromEntries(NAMES.map((name) => [name, document(name)]));

const BUSY = new Set([429, 500, 502, 503, 504]);
const FAULTS = new Set(['UNAVAILABLE', 'READ_ONLY', 'INTERNAL']);
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** No answer in good time. `maybeDone`: the question was sent, and may have been acted upon. */
export class Unreachable extends Error {
  constructor(said, maybeDone) {
    super(`promograph gave no answer: ${said}`);
    this.maybeDone = maybeDone;
  }
}

/** `whenUnreachable` is 'REFUSE' or 'ACCEPT_AND_REPORT_LATER'; `late` names the file of sales to be reported. */
export class Checkout {
  #restsUntil = 0;

  constructor({ url, token, late, whenUnreachable = 'REFUSE', patience = 3000, each = 1000, rest = 5000 }) {
    Object.assign(this, { url, token, whenUnreachable, patience, each, rest });
    this.late = new LateSales(late);
  }

  validate(input) {
    return this.#ask(input.codes ? 'CodesValidate' : 'CodeValidate', input);
  }

  hold(input) {
    return this.#ask('CodeHold', { idempotencyKey: randomUUID(), ...input });
  }

  release(token) {
    return this.#ask('HoldRelease', { token });
  }

  rollBack(input) {
    return this.#ask('RedemptionRollback', input);
  }

  /** The answer; or null where there was none, and the shop takes the sale upon itself. Needs an idempotencyKey. */
  async redeem(input) {
    const key = input.idempotencyKey;
    if (!key) throw new TypeError('a sale needs an idempotencyKey, made of the order');
    if (this.late.isUndone(key)) throw new TypeError('this sale was given up: a new try needs a new idempotencyKey');
    const operation = input.codes ? 'CodesRedeem' : 'CodeRedeem';
    try {
      return await this.#ask(operation, input);
    } catch (failure) {
      if (!(failure instanceof Unreachable)) throw failure;
      const accepts = this.whenUnreachable === 'ACCEPT_AND_REPORT_LATER';
      const wish = accepts ? 'REPORT' : 'UNDO';
      if (accepts || failure.maybeDone) this.late.note({ key, operation, input, wish, soldAt: new Date().toISOString() });
      if (!accepts) throw failure;
      return null;
    }
  }

  /** Tell promograph of what is late, the oldest first. Those that it turned down stay in `late.all('REFUSED')`. */
  async reportLate() {
    for (const sale of this.late.all('REPORT', 'UNDO')) {
      const when = sale.wish === 'REPORT' ? { redeemedAt: sale.soldAt } : {};
      const answer = await this.#ask(sale.operation, { ...sale.input, ...when });
      const redemptions = answer.redemptions ?? (answer.redemption ? [answer.redemption] : []);
      if (sale.wish === 'UNDO') {
        for (const [number, { id }] of redemptions.entries()) {
          await this.rollBack({ id, reason: 'the sale was not made', idempotencyKey: `${sale.key}:undo:${number}` });
        }
        this.late.note({ ...sale, wish: 'UNDONE' });
      } else if (answer.userErrors.length > 0) {
        this.late.note({ ...sale, wish: 'REFUSED', refusals: answer.userErrors });
      } else {
        this.late.note({ ...sale, wish: 'REPORTED' });
      }
    }
  }

  async #ask(name, input) {
    if (Date.now() < this.#restsUntil) throw new Unreachable('it did not answer a moment ago', false);
    const deadline = Date.now() + this.patience;
    let maybeDone = false;
    for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
      let said;
      let askedToWait = 0;
      try {
        const response = await fetch(this.url, {
          method: 'POST',
          headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({ query: DOCUMENTS[name], operationName: name, variables: { input } }),
          signal: AbortSignal.timeout(Math.max(Math.min(this.each, deadline - Date.now()), 10)),
        });
        const body = await response.text();
        const answer = BUSY.has(response.status) ? null : JSON.parse(body);
        if (answer && !answer.errors?.some((error) => FAULTS.has(error.extensions?.code))) {
          if (answer.errors) throw new TypeError(answer.errors[0].message); // of the program: no grace for that
          return Object.values(answer.data)[0];
        }
        [said, maybeDone] = [`status ${response.status}`, true];
        askedToWait = 1000 * (Number(response.headers.get('Retry-After')) || 0);
      } catch (failure) {
        // Node's fetch says by a TypeError with a cause that there was no connection, or that it broke.
        said = failure.name === 'TimeoutError' ? failure.name : failure.cause?.code;
        if (said === undefined) throw failure;
        maybeDone ||= !NOT_SENT.has(said);
      }
      const wait = Math.max(askedToWait, pause * (0.5 + Math.random() / 2));
      if (Date.now() + wait >= deadline) {
        this.#restsUntil = Date.now() + this.rest;
        throw new Unreachable(said, maybeDone);
      }
      await sleep(wait);
    }
  }
}

/** A log of one line a change, each on disk before the shopper is told: a crash loses nothing that was noted. */
export class LateSales {
  constructor(path) {
    this.path = path;
  }

  note(sale) {
    const file = openSync(this.path, 'a');
    try {
      writeSync(file, `${JSON.stringify(sale)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** The sales that have come to one of these: REPORT, UNDO, REPORTED, UNDONE, REFUSED. */
  all(...wishes) {
    return [...this.#sales().values()].filter((sale) => wishes.includes(sale.wish));
  }

  isUndone(key) {
    return ['UNDO', 'UNDONE'].includes(this.#sales().get(key)?.wish);
  }

  #sales() {
    const lines = existsSync(this.path) ? readFileSync(this.path, 'utf8').split('\n') : [];
    // A line that a crash cut short was never confirmed to anybody.
    const whole = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
    return new Map(whole.map((sale) => [sale.key, sale]));
  }
}
