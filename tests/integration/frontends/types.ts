// What a front end writes against the types that openapi-typescript makes; compiled, never run.
import type { components, operations, paths } from './api';

type Customer = components['schemas']['customer'];
type NewCustomer = NonNullable<operations['customers.create']['requestBody']>['content']['application/json'];
type Payments = operations['payments.list']['responses'][200]['content']['application/json'];
type Errors = components['schemas']['Errors'];

const ada: NewCustomer = { email: 'ada@example.com', name: 'Ada', address: { line1: '1 Street', country: 'GB' } };
// @ts-expect-error - email is required
const nobody: NewCustomer = { name: 'Nobody' };
// @ts-expect-error - nothing passes that the operation does not name
const expanded: NewCustomer = { email: 'ada@example.com', expand: ['sources'] };

const refund: operations['refunds.create']['requestBody']['content']['application/json'] = { payment_intent: 'pi_1' };
const cancel: keyof paths['/subscriptions/{subscription_id}'] = 'delete';

export function describe(customer: Customer, payments: Payments, errors: Errors): string {
	const list = Array.isArray(payments) ? payments : payments.data;
	const total: number = list.reduce((sum, payment) => sum + (payment.amount ?? 0), 0);
	return `${String(customer.name ?? ada.email)}: ${total} ${errors.errors[0]?.extensions.code} ${cancel}`;
}

void [nobody, expanded, refund];
