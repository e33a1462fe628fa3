"""The attributes of Stripe's objects beside payments and subscriptions; ``known_attributes`` says what they are for."""

from collections.abc import Mapping
from types import MappingProxyType

BILLING_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "tax_id": """
            country created customer customer_account deleted livemode owner type value verification
        """,
        "customer_balance_transaction": """
            amount checkout_session created credit_note currency customer customer_account description
            ending_balance invoice livemode metadata type
        """,
        "dispute": """
            amount balance_transactions charge created currency enhanced_eligibility_types evidence evidence_details
            intended_submission_method is_charge_refundable livemode metadata network_reason_code payment_intent
            payment_method_details reason status
        """,
        "credit_note": """
            amount amount_shipping created currency customer customer_account customer_balance_transaction
            discount_amount discount_amounts effective_at invoice lines livemode memo metadata number
            out_of_band_amount pdf post_payment_amount pre_payment_amount pretax_credit_amounts reason refunds
            shipping_cost status subtotal subtotal_excluding_tax total total_excluding_tax total_taxes type
            voided_at
        """,
        "credit_note_line_item": """
            amount description discount_amount discount_amounts invoice_line_item livemode metadata
            pretax_credit_amounts quantity tax_rates taxes type unit_amount unit_amount_decimal
        """,
        "quote": """
            amount_subtotal amount_total application application_fee_amount application_fee_percent automatic_tax
            collection_method computed created currency customer customer_account default_tax_rates description
            discounts expires_at footer from_quote header invoice invoice_settings line_items livemode metadata
            number on_behalf_of status status_transitions subscription subscription_data subscription_schedule
            test_clock total_details transfer_data
        """,
        "subscription_schedule": """
            application billing_mode canceled_at completed_at created current_phase customer customer_account
            default_settings end_behavior livemode metadata pause_schedules phases released_at released_subscription
            status subscription test_clock
        """,
        "billing.meter": """
            created customer_mapping default_aggregation display_name event_name event_time_window livemode status
            status_transitions updated value_settings
        """,
        "billing.meter_event": """
            created event_name identifier livemode payload timestamp
        """,
        "entitlements.active_entitlement": """
            feature livemode lookup_key
        """,
        "coupon": """
            amount_off applies_to created currency currency_options deleted duration duration_in_months livemode
            max_redemptions metadata name percent_off redeem_by times_redeemed valid
        """,
        "promotion_code": """
            active code created customer customer_account expires_at livemode max_redemptions metadata promotion
            restrictions times_redeemed
        """,
        "payment_link": """
            active after_completion allow_promotion_codes application application_fee_amount application_fee_percent
            automatic_tax billing_address_collection consent_collection currency custom_fields custom_text
            customer_creation inactive_message invoice_creation line_items livemode managed_payments metadata
            name_collection on_behalf_of optional_items payment_intent_data payment_method_collection
            payment_method_options payment_method_types phone_number_collection restrictions
            shipping_address_collection shipping_options submit_type subscription_data tax_id_collection
            transfer_data url
        """,
    }
)
