// What the two tables show of Stripe's objects. An attribute that the caller may not see is not in them.

import { el } from "./dom.js";
import { day, money, NOTHING, status } from "./format.js";

const text = (key) => (entry) => entry[key] || NOTHING;
const created = (entry) => (Number.isInteger(entry.created) ? moment(entry.created) : NOTHING);

/** `onPayments` and `onPortal` are called with a customer, the latter with its button too. */
export function customerColumns({ onPayments, onPortal }) {
  return [
    { name: "Name", key: "name", head: true, cell: (customer) => customer.name || "No name" },
    { name: "E-mail", key: "email", cell: text("email") },
    { name: "Phone", key: "phone", cell: text("phone") },
    { name: "Since", key: "created", cell: created },
    { name: "Actions", key: "actions", own: true, unseen: true, cell: (customer) => actions(customer, onPayments, onPortal) },
  ];
}

/** `nameOf` gives a customer's name by its ID, if it is known. */
export function paymentColumns({ nameOf }) {
  return [
    { name: "Amount", key: "amount", head: true, cell: ({ amount, currency }) => money(amount, currency) },
    { name: "Status", key: "status", cell: badge },
    { name: "Customer", key: "customer", cell: ({ customer }) => (customer ? buyer(customer, nameOf) : NOTHING) },
    { name: "Description", key: "description", cell: text("description") },
    { name: "Date", key: "created", cell: created },
  ];
}

/** Puts in the names that became known after their payments were shown. */
export function nameBuyers(table, nameOf) {
  for (const cell of table.querySelectorAll("[data-customer]")) cell.textContent = nameOf(cell.dataset.customer);
}

function buyer(id, nameOf) {
  return el("span", { "data-customer": id }, nameOf(id));
}

function badge(payment) {
  const [tone, words] = status(payment.status);
  return el("span", { class: `badge ${tone}` }, words);
}

function moment(seconds) {
  return el("time", { datetime: new Date(seconds * 1000).toISOString() }, day(seconds));
}

function actions(customer, onPayments, onPortal) {
  const name = customer.name || customer.email || "this customer";
  const button = (label, of, onclick) =>
    el("button", { type: "button", class: "small", onclick }, label, el("span", { class: "unseen" }, ` ${of} ${name}`));
  return el(
    "div",
    { class: "actions" },
    customer.id ? button("Payments", "of", () => onPayments(customer)) : null,
    button("Billing portal", "for", (event) => onPortal(customer, event.currentTarget)),
  );
}
