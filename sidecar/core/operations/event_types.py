"""Stripe's types of event, and the kind of object that each is about.

They are those of one version of Stripe's API, compared with its library by a test. An event destination offers most of
them as snapshots and as thin events, and some as one of the two only; nothing here depends on which.
"""

from collections.abc import Mapping
from types import MappingProxyType

_ROWS = (  # the kind, empty where no object of one kind can be asked for by its ID; what types begin with; their ends
    ("account", "account", "updated"),
    ("application_fee", "application_fee", "created refunded"),
    ("balance", "balance", "available"),
    ("balance_settings", "balance_settings", "updated"),
    ("billing.alert", "billing.alert", "triggered"),
    ("billing.credit_balance_transaction", "billing.credit_balance_transaction", "created"),
    ("billing.credit_grant", "billing.credit_grant", "created updated"),
    ("billing.meter", "billing.meter", "created deactivated error_report_triggered reactivated updated"),
    ("billing_portal.configuration", "billing_portal.configuration", "created updated"),
    ("capability", "capability", "updated"),
    ("cash_balance", "cash_balance", "funds_available"),
    ("charge", "charge", "captured expired failed pending refunded succeeded updated"),
    ("checkout.session", "checkout.session", "async_payment_failed async_payment_succeeded completed expired"),
    ("climate.order", "climate.order", "canceled created delayed delivered product_substituted"),
    ("climate.product", "climate.product", "created pricing_updated"),
    ("coupon", "coupon", "created deleted updated"),
    ("credit_note", "credit_note", "created updated voided"),
    ("customer", "customer", "created deleted updated"),
    ("customer_cash_balance_transaction", "customer_cash_balance_transaction", "created"),
    ("discount", "customer.discount", "created deleted updated"),
    ("dispute", "charge.dispute", "closed created funds_reinstated funds_withdrawn updated"),
    ("fee_refund", "application_fee.refund", "updated"),
    ("file", "file", "created"),
    (
        "financial_connections.account",
        "financial_connections.account",
        """
        account_numbers_updated balance_refresh_failed balance_refresh_succeeded created deactivated
        disconnected expected_deactivation_date_updated inferred_balances_refresh_failed
        inferred_balances_refresh_succeeded ownership_refresh_failed ownership_refresh_succeeded reactivated
        refreshed_balance refreshed_ownership refreshed_transactions risk_intelligence_refresh_failed
        risk_intelligence_refresh_succeeded supported_payment_method_types_updated
        transactions_refresh_failed transactions_refresh_succeeded upcoming_account_number_expiry
        upcoming_deactivation
        """,
    ),
    (
        "identity.verification_session",
        "identity.verification_session",
        """
        canceled created processing redacted requires_input verified
        """,
    ),
    (
        "invoice",
        "invoice",
        """
        created deleted discount_added discount_removed finalization_failed finalized line_item_added
        line_item_pricing_changed line_item_quantity_changed line_item_removed marked_uncollectible overdue
        overpaid paid payment_action_required payment_attempt_required payment_failed payment_succeeded sent
        updated voided will_be_due
        """,
    ),
    ("invoice_payment", "invoice_payment", "canceled open paid"),
    ("invoiceitem", "invoiceitem", "amount_changed created deleted discount_added discount_removed"),
    ("issuing.authorization", "issuing_authorization", "created request updated"),
    ("issuing.card", "issuing_card", "created updated"),
    ("issuing.cardholder", "issuing_cardholder", "created updated"),
    ("issuing.dispute", "issuing_dispute", "closed created funds_reinstated funds_rescinded submitted updated"),
    ("issuing.personalization_design", "issuing_personalization_design", "activated deactivated rejected updated"),
    ("issuing.token", "issuing_token", "created updated"),
    ("issuing.transaction", "issuing_transaction", "created purchase_details_receipt_updated updated"),
    ("mandate", "mandate", "updated"),
    (
        "payment_intent",
        "payment_intent",
        """
        amount_capturable_updated canceled created partially_funded payment_failed processing
        requires_action succeeded
        """,
    ),
    ("payment_link", "payment_link", "created updated"),
    ("payment_method", "payment_method", "attached automatically_updated detached updated"),
    ("payout", "payout", "canceled created failed paid reconciliation_completed updated"),
    ("person", "person", "created deleted updated"),
    ("plan", "plan", "created deleted updated"),
    ("price", "price", "activated created deactivated deleted lookup_key_changed tax_behavior_changed updated"),
    ("product", "product", "activated created deactivated default_price_changed deleted tax_code_changed updated"),
    ("promotion_code", "promotion_code", "created fully_redeemed updated"),
    ("quote", "quote", "accepted canceled created finalized"),
    ("radar.early_fraud_warning", "radar.early_fraud_warning", "created updated"),
    ("refund", "charge.refund", "updated"),
    ("refund", "refund", "created failed updated"),
    ("review", "review", "closed opened"),
    ("scheduled_query_run", "sigma.scheduled_query_run", "created"),
    ("setup_intent", "setup_intent", "canceled created requires_action setup_failed succeeded"),
    ("source", "source", "canceled chargeable failed refund_attributes_required"),
    (
        "subscription",
        "customer.subscription",
        """
        active cancel_at_changed created default_payment_method_changed deleted incomplete
        incomplete_expired item_added item_price_changed item_quantity_changed item_removed
        item_tax_rates_changed past_due paused pending_update_applied pending_update_expired resumed
        trial_will_end trialing unpaid updated
        """,
    ),
    (
        "subscription_schedule",
        "subscription_schedule",
        """
        aborted canceled completed created expiring phase_added phase_default_tax_rates_changed
        phase_end_date_changed phase_removed phase_trial_end_changed released updated
        """,
    ),
    ("tax.settings", "tax.settings", "updated"),
    ("tax_id", "customer.tax_id", "created deleted updated"),
    ("tax_rate", "tax_rate", "created updated"),
    ("terminal.reader", "terminal.reader", "action_failed action_succeeded action_updated"),
    ("test_helpers.test_clock", "test_helpers.test_clock", "advancing created deleted internal_failure ready"),
    ("topup", "topup", "canceled created failed reversed succeeded"),
    ("transfer", "transfer", "created reversed updated"),
    ("", "account.application", "authorized deauthorized"),
    ("", "account.external_account", "created deleted updated"),
    ("", "apps.install", "created deleted updated"),
    ("", "billing.meter", "no_meter_found"),
    ("", "billing_portal.session", "created"),
    ("", "customer.discount", "source_changed"),
    ("", "customer.source", "created deleted expiring updated"),
    ("", "entitlements.active_entitlement_summary", "entitlement_added entitlement_removed updated"),
    ("", "financial_connections.authorization", "expected_deactivation_date_updated upcoming_deactivation"),
    ("", "invoice", "upcoming"),
    ("", "reporting.report_run", "failed succeeded"),
    ("", "reporting.report_type", "updated"),
    ("", "reserve.hold", "created updated"),
    ("", "reserve.plan", "created disabled expired updated"),
    ("", "reserve.release", "created"),
    ("", "source", "mandate_notification"),
    ("", "source.transaction", "created updated"),
    (
        "",
        "three_d_secure.authentication",
        """
        canceled challenge_started errored failed requires_challenge requires_submission succeeded
        """,
    ),
    ("", "treasury.credit_reversal", "created posted"),
    ("", "treasury.debit_reversal", "completed created initial_credit_granted"),
    ("", "treasury.financial_account", "closed created features_status_updated"),
    ("", "treasury.inbound_transfer", "canceled created failed succeeded"),
    (
        "",
        "treasury.outbound_payment",
        """
        canceled created expected_arrival_date_updated failed posted returned tracking_details_updated
        """,
    ),
    (
        "",
        "treasury.outbound_transfer",
        """
        canceled created expected_arrival_date_updated failed posted returned tracking_details_updated
        """,
    ),
    ("", "treasury.received_credit", "created failed succeeded"),
    ("", "treasury.received_debit", "created"),
)

_KINDS: Mapping[str, str | None] = MappingProxyType(
    {f"{beginning}.{end}": kind or None for kind, beginning, ends in _ROWS for end in ends.split()}
)
EVENT_TYPES = frozenset(_KINDS)


def kind_of(event_type: str) -> str | None:
    """Name the kind of object that events of a type are about, None if that is not known."""
    return _KINDS.get(event_type)
