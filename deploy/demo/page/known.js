// What one list tells about another's rows: customers' names, and what became of the money of a payment.

import { lines, Problem } from "./api.js";

export class Known {
  #names = new Map();
  #charges = new Map();

  clear() {
    this.#names.clear();
    this.#charges.clear();
  }

  remember({ id, name, email }) {
    if (id && (name || email)) this.#names.set(id, name || email);
  }

  nameOf = (customer) => this.#names.get(customer) ?? customer;

  /** Gives a payment's newest charge: its refunds, its card, and why a bank refused it. */
  chargeOf = (payment) => this.#charges.get(payment.id);

  /** Reads all charges; without them payments show what they say themselves. */
  async readCharges(signal) {
    const charges = new Map();
    try {
      for await (const batch of lines("/stripe/charges", signal)) {
        for (const charge of batch) {
          const payment = charge.payment_intent;
          if (payment && !charges.has(payment)) charges.set(payment, charge); // newest first
        }
      }
    } catch (error) {
      if (!(error instanceof Problem) && error.name !== "AbortError") throw error;
      return;
    }
    if (!signal.aborted) this.#charges = charges;
  }
}
