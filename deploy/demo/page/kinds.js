// The four lists: where each comes from, its columns, and what is told of one of its entries. An attribute that the
// caller may not see is in none of them.

import { copyButton } from "./copy.js";
import { el } from "./dom.js";
import { day, moment, money, NOTHING } from "./format.js";
import { badge, planOf, renewal, statusOf } from "./statuses.js";

const text = (key) => (entry) => entry[key] || NOTHING;
const when = (key) => (entry) => (Number.isInteger(entry[key]) ? time(entry[key], day) : NOTHING);
const sum = (key) => (entry) => money(entry[key], entry.currency);

/** `actionsOf(customer)` gives buttons and links. A fact is `[name, key, content]`, of which a null content is left out. */
export function kinds({ known, actionsOf }) {
  const buyer = (entry) => (entry.customer ? known.nameOf(entry.customer) : NOTHING);
  const buyerLink = (entry) => entry.customer && el("a", { href: `#customers/${entry.customer}` }, buyer(entry));
  const statusCell = (entry) => badge(statusOf(entry, known.chargeOf(entry)));
  const column = { customer: { name: "Customer", key: "customer", late: true, cell: buyer, place: "p21" } };
  const status = { name: "Status", key: "status", late: true, cell: statusCell, place: "p12" };
  return [
    {
      key: "payments",
      noun: "payment",
      operation: "payments.list",
      path: "/stripe/payments",
      empty: ["No payments", "There are none yet."],
      title: "Payments",
      titleOf: sum("amount"),
      columns: [
        { name: "Amount", key: "amount", head: true, cell: sum("amount"), place: "p11" },
        status,
        { name: "Description", key: "description", cell: text("description"), place: "p21" },
        { ...column.customer, place: "p31" },
        { name: "Date", key: "created", cell: when("created"), place: "p22" },
        copyColumn("p32"),
      ],
      facts: (payment) => [
        ["Customer", "customer", buyerLink(payment)],
        ["Description", "description", payment.description],
        ["Received", "amount_received", sum("amount_received")(payment)],
        ["Created", "created", time(payment.created, moment)],
        ...chargeFacts(known.chargeOf(payment), payment),
      ],
      statusOf: statusCell,
    },
    {
      key: "customers",
      noun: "customer",
      operation: "customers.list",
      path: "/stripe/customers",
      empty: ["No customers", "There are none yet, or none of them are yours."],
      title: "Customers",
      titleOf: (customer) => customer.name || customer.email || "No name",
      columns: [
        { name: "Name", key: "name", head: true, cell: (customer) => customer.name || "No name", place: "p11" },
        { name: "E-mail", key: "email", cell: text("email"), place: "p2" },
        { name: "Phone", key: "phone", cell: text("phone"), place: "p31" },
        { name: "Since", key: "created", cell: when("created"), place: "p12" },
        {
          ...copyColumn("p4"),
          name: "Actions",
          cell: (customer) => actions(...actionsOf(customer), copyOf(customer)),
        },
      ],
      facts: (customer) => [
        ["Name", "name", customer.name],
        ["E-mail", "email", customer.email],
        ["Phone", "phone", customer.phone],
        ["Since", "created", time(customer.created, moment)],
      ],
      actionsOf,
    },
    {
      key: "subscriptions",
      noun: "subscription",
      operation: "subscriptions.list",
      path: "/stripe/subscriptions?status=all",
      empty: ["No subscriptions", "Nobody has subscribed yet."],
      title: "Subscriptions",
      titleOf: planOf,
      columns: [
        { name: "Plan", key: "items", head: true, cell: planOf, place: "p11" },
        status,
        column.customer,
        { name: "Current period", key: "items", own: true, cell: renewal, place: "p22" },
        { name: "Since", key: "start_date", cell: when("start_date"), place: "p31" },
        copyColumn("p32"),
      ],
      facts: (subscription) => [
        ["Customer", "customer", buyerLink(subscription)],
        ["Current period", "items", renewal(subscription)],
        ["Since", "start_date", time(subscription.start_date, moment)],
        ["Ended", "ended_at", time(subscription.ended_at, moment)],
        ["Last invoice", "latest_invoice", idLink("invoices", subscription.latest_invoice)],
      ],
      statusOf: statusCell,
    },
    {
      key: "invoices",
      noun: "invoice",
      operation: "invoices.list",
      path: "/stripe/invoices",
      empty: ["No invoices", "There are none yet."],
      title: "Invoices",
      titleOf: (invoice) => invoice.number || "Draft",
      columns: [
        { name: "Number", key: "number", head: true, cell: (invoice) => invoice.number || "Draft", place: "p11" },
        status,
        { name: "Total", key: "total", cell: sum("total"), place: "p22" },
        column.customer,
        { name: "Date", key: "created", cell: when("created"), place: "p31" },
        copyColumn("p32"),
      ],
      facts: (invoice) => [
        ["Customer", "customer", buyerLink(invoice)],
        ["Total", "total", sum("total")(invoice)],
        ["Paid", "amount_paid", sum("amount_paid")(invoice)],
        ["Still to pay", "amount_remaining", sum("amount_remaining")(invoice)],
        ["Created", "created", time(invoice.created, moment)],
      ],
      statusOf: statusCell,
    },
  ];
}

function chargeFacts(charge, payment) {
  if (!charge) return [];
  const { card } = charge.payment_method_details ?? {};
  return [
    ["Card", "payment_method", card?.last4 ? cardOf(card) : null],
    ["Refunded", "amount_refunded", charge.amount_refunded ? money(charge.amount_refunded, charge.currency) : null],
    ["The bank says", "failure_message", payment.status === "succeeded" ? null : charge.failure_message],
    ["Charge", "latest_charge", charge.id && el("span", { class: "id" }, charge.id, copyButton(charge.id))],
  ];
}

const cardOf = ({ brand = "card", last4 }) => `${brand[0].toUpperCase()}${brand.slice(1)} ending in ${last4}`;
const copyOf = (entry) => (entry.id ? copyButton(entry.id) : null);
const copyColumn = (place) => ({
  name: "ID",
  key: "actions",
  own: true,
  unseen: true,
  cell: (entry) => actions(copyOf(entry)),
  place,
});

function actions(...content) {
  return el("div", { class: "buttons" }, ...content);
}

function time(seconds, written) {
  if (!Number.isInteger(seconds)) return null;
  const full = moment(seconds);
  return el("time", { datetime: new Date(seconds * 1000).toISOString(), title: full }, written(seconds));
}

function idLink(kind, value) {
  const id = value?.id ?? value;
  return id ? el("a", { class: "id", href: `#${kind}/${id}` }, id) : null;
}
