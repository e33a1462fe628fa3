// A front end's code with the types that openapi-typescript generates; compiled, never run.
import type { components, operations, paths } from './api';

type Customer = components['schemas']['customer'];
type NewCustomer = NonNullable<operations['customers.create']['requestBody']>['content']['application/json'];
type Payments = operations['payments.list']['responses'][200]['content']['application/json'];
type Payment = components['schemas']['payment_intent'];
type PaymentPage = components['schemas']['payment_intent_page'];
type Subscription = components['schemas']['subscription'];
type Checkout = components['schemas']['checkout.session'];
type Errors = components['schemas']['Errors'];
type Created = operations['customers.create']['responses'][201];
type Declined = operations['payment_intents.create']['responses'][402];
type Busy = operations['payments.list']['responses'][503]['headers'];

const ada: NewCustomer = { email: 'ada@example.com', name: 'Ada', address: { line1: '1 Street', country: 'GB' } };
// @ts-expect-error - email is required
const nobody: NewCustomer = { name: 'Nobody' };
// @ts-expect-error - the operation has no such attribute
const expanded: NewCustomer = { email: 'ada@example.com', expand: ['sources'] };

const refund: operations['refunds.create']['requestBody']['content']['application/json'] = { payment_intent: 'pi_1' };
const cancel: keyof paths['/subscriptions/{subscription_id}'] = 'delete';

export function describe(customer: Customer, payments: Payments, errors: Errors): string {
	const list = Array.isArray(payments) ? payments : payments.data;
	const total: number = list.reduce((sum, payment) => sum + (payment.amount ?? 0), 0);
	const name: string = customer.name ?? customer.email ?? ada.email;
	const city: string | null | undefined = customer.address?.city;
	return `${name}, ${city}: ${total} ${errors.errors[0]?.extensions.code} ${cancel}`;
}

export function everything(first: PaymentPage, next: (after: string) => PaymentPage): Payment[] {
	const found = [...first.data];
	for (let page = first; page.has_more; ) {
		const last: string | null | undefined = found[found.length - 1]?.id;
		if (!last) break;
		page = next(last);
		found.push(...page.data);
	}
	return found;
}

export function renewal(subscription: Subscription): string {
	const item = subscription.items?.data?.[0];
	const ends: Date = new Date(1000 * (item?.current_period_end ?? 0));
	const price: number = ((item?.price?.unit_amount ?? 0) * (item?.quantity ?? 1)) / 100;
	const interval: string = item?.price?.recurring?.interval ?? 'once';
	return `${price} ${subscription.currency?.toUpperCase()} each ${interval}, until ${ends.toISOString()}`;
}

export function page(session: Checkout): URL | undefined {
	return session.url ? new URL(session.url) : undefined;
}

export function waits(created: Created, declined: Declined, busy: Busy): string {
	const pending: 'pending' | undefined = created.headers['X-Write-Back'];
	const body: 'pending' | undefined = created.content['application/json'].write_back;
	const why: string = declined.content['application/json'].errors[0].message;
	const seconds: number = busy['Retry-After'] ?? 1;
	return `${pending ?? body} ${why} ${seconds} ${busy['X-Request-Id']}`;
}

declare const payment: Payment;
// @ts-expect-error - an amount is a number
const amount: string | null | undefined = payment.amount;
// @ts-expect-error - a flag is a boolean
const live: string | null | undefined = payment.livemode;
// @ts-expect-error - a whole list is an array, and a page is an object
const whole: components['schemas']['payment_intent_array'] = {} as PaymentPage;

void [nobody, expanded, refund, amount, live, whole];
