// How amounts, days and numbers are written. A locale is the browser's own.

export const NOTHING = "–";

// Stripe's exceptions to "as many decimals as ISO 4217 says" (docs.stripe.com/currencies, "Special cases").
const TWO_DECIMALS_AT_STRIPE = new Set(["isk", "ugx"]);

/** `amount` is in the currency's smallest unit: 1200 is €12.00, and ¥1,200. */
export function money(amount, currency) {
  if (!Number.isInteger(amount) || typeof currency !== "string") return NOTHING;
  try {
    const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
    const decimals = TWO_DECIMALS_AT_STRIPE.has(currency) ? 2 : format.resolvedOptions().maximumFractionDigits;
    return format.format(amount / 10 ** decimals);
  } catch {
    return `${amount} ${currency}`; // not a currency's code
  }
}

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** `created` is in seconds since the epoch. */
export function day(created) {
  return Number.isInteger(created) ? DAY.format(new Date(created * 1000)) : NOTHING;
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function moment(seconds) {
  return Number.isInteger(seconds) ? MOMENT.format(new Date(seconds * 1000)) : NOTHING;
}

const NUMBER = new Intl.NumberFormat();

/** `counted(1, "payment")` is "1 payment". */
export function counted(number, noun) {
  return `${NUMBER.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}
