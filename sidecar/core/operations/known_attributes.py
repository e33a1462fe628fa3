"""The attributes of Stripe's objects, so that a wrong name in the operator's file is found at the start.

The names are those of one version of Stripe's API, compared with the types of its library by a test. Other versions
have others, so nothing is judged by this list where another version is asked for. Nothing here shows an attribute to
anybody: that is for ``core.views`` to decide.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar.core.operations.billing_attributes import BILLING_ATTRIBUTES
from sidecar.core.operations.parameters import Expansion
from sidecar.core.operations.row import Operation

API_VERSION = "2026-10-28.endive"


def is_same_release(version: str) -> bool:
    """Whether nothing but additions is between this version and ours (docs.stripe.com/api/versioning)."""
    return version.partition(".")[2] == API_VERSION.partition(".")[2]


def attributes_of(operation: Operation) -> frozenset[str]:
    """Name the attributes in an operation's answer: those of its object, and of the objects within that."""
    kind = operation.resource.kind
    types = [parameter.type for parameter in operation.parameters]
    expanded = (each.resource.kind for each in types if isinstance(each, Expansion))
    kinds = (kind, *WITHIN.get(kind, ()), *expanded)
    return frozenset({"id", "object"}.union(*(ATTRIBUTES[each].split() for each in kinds)))


# An object as it arrives, with nothing expanded, has these within it.
WITHIN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customer": ("discount", "tax_rate"),
        "payment_intent": ("payment_method", "setup_intent"),
        "charge": ("refund",),
        "invoice": ("line_item", "invoice_payment", "tax_rate"),
        "subscription": ("subscription_item", "price", "plan", "tax_rate", "discount"),
        "subscription_item": ("price", "plan", "tax_rate"),
        "setup_intent": ("payment_method", "payment_intent"),
        "checkout.session": ("item", "price", "tax_rate"),
        "credit_note": ("credit_note_line_item", "tax_rate"),
        "dispute": ("balance_transaction",),
        "subscription_schedule": ("tax_rate",),
    }
)

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "customer": """
            address balance business_name cash_balance created currency customer_account default_source
            deleted delinquent description discount email individual_name invoice_credit_balance
            invoice_prefix invoice_settings livemode metadata name next_invoice_sequence phone
            preferred_locales shipping sources subscriptions tax tax_exempt tax_ids test_clock
        """,
        "payment_intent": """
            allowed_payment_method_types amount amount_capturable amount_details amount_received application
            application_fee_amount automatic_payment_methods canceled_at cancellation_reason capture_method
            client_secret confirmation_method created currency customer customer_account description
            excluded_payment_method_types hooks last_payment_error latest_charge livemode managed_payments
            metadata next_action on_behalf_of payment_details payment_method
            payment_method_configuration_details payment_method_options payment_method_types payment_record
            presentment_details processing receipt_email review setup_future_usage shipping source
            statement_descriptor statement_descriptor_suffix status transfer_data transfer_group
        """,
        "charge": """
            amount amount_captured amount_refunded application application_fee application_fee_amount
            authorization_code balance_transaction billing_details calculated_statement_descriptor captured
            created currency customer description disputed failure_balance_transaction failure_code
            failure_message fraud_details level3 livemode metadata on_behalf_of outcome paid payment_intent
            payment_method payment_method_details presentment_details radar_options receipt_email
            receipt_number receipt_url refunded refunds review shipping source source_transfer
            statement_descriptor statement_descriptor_suffix status transfer transfer_data transfer_group
        """,
        "refund": """
            amount balance_transaction charge created currency customer customer_account description
            destination_details failure_balance_transaction failure_reason instructions_email metadata
            next_action payment_intent payment_method pending_reason presentment_details reason
            receipt_number source_transfer_reversal status transfer_reversal
        """,
        "invoice": """
            account_country account_name account_tax_ids amount_due amount_overpaid amount_paid
            amount_paid_off_stripe amount_remaining amount_shipping application attempt_count attempted
            auto_advance automatic_tax automatically_finalizes_at billing_reason collection_method
            confirmation_secret created currency custom_fields customer customer_account customer_address
            customer_email customer_name customer_phone customer_shipping customer_tax_exempt
            customer_tax_ids default_payment_method default_source default_tax_rates deleted description
            discounts due_date effective_at ending_balance footer from_invoice hosted_invoice_url
            invoice_pdf issuer last_finalization_error latest_revision lines livemode metadata
            next_payment_attempt number on_behalf_of parent payment_settings payments period_end
            period_start post_payment_credit_notes_amount pre_payment_credit_notes_amount receipt_number
            rendering shipping_cost shipping_details starting_balance statement_descriptor status
            status_details status_transitions subtotal subtotal_excluding_tax test_clock threshold_reason
            total total_discount_amounts total_excluding_tax total_pretax_credit_amounts total_taxes
            webhooks_delivered_at
        """,
        "subscription": """
            application application_fee_percent automatic_tax billing_cycle_anchor
            billing_cycle_anchor_config billing_mode billing_schedules billing_thresholds cancel_at
            cancel_at_period_end canceled_at cancellation_details collection_method created currency
            customer customer_account days_until_due default_payment_method default_source default_tax_rates
            description discounts ended_at invoice_settings items latest_invoice livemode managed_payments
            metadata next_pending_invoice_item_invoice on_behalf_of pause_collection payment_settings
            pending_invoice_item_interval pending_setup_intent pending_update presentment_details schedule
            start_date status status_details test_clock transfer_data trial_end trial_settings trial_start
        """,
        "subscription_item": """
            billed_until billing_thresholds created current_period_end current_period_start current_trial
            deleted discounts metadata plan price quantity subscription tax_rates
        """,
        "payment_method": """
            acss_debit affirm afterpay_clearpay alipay allow_redisplay alma amazon_pay au_becs_debit
            bacs_debit bancontact billie billing_details bizum blik boleto card card_present cashapp created
            crypto custom customer customer_account customer_balance eps fpx giropay grabpay ideal
            interac_present kakao_pay klarna konbini kr_card link livemode mb_way metadata mobilepay
            multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix
            promptpay radar_options revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort
            sunbit swish twint type upi us_bank_account wechat_pay zip
        """,
        "setup_intent": """
            allowed_payment_method_types application attach_to_self automatic_payment_methods
            cancellation_reason client_secret created customer customer_account description
            excluded_payment_method_types flow_directions last_setup_error latest_attempt livemode
            managed_payments mandate metadata next_action on_behalf_of payment_method
            payment_method_configuration_details payment_method_options payment_method_types
            single_use_mandate status usage
        """,
        "checkout.session": """
            adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types
            amount_subtotal amount_total automatic_tax billing_address_collection branding_settings
            cancel_url client_reference_id client_secret collected_information consent consent_collection
            created currency currency_conversion custom_fields custom_text customer customer_account
            customer_creation customer_details customer_email discounts excluded_payment_method_types
            expires_at integration_identifier invoice invoice_creation line_items livemode locale
            managed_payments metadata mode name_collection optional_items origin_context payment_intent
            payment_link payment_method_collection payment_method_configuration_details
            payment_method_options payment_method_types payment_status permissions phone_number_collection
            presentment_details recovered_from redirect_on_completion return_url
            saved_payment_method_options setup_intent shipping_address_collection shipping_cost
            shipping_options status submit_type subscription success_url tax_id_collection total_details
            ui_mode url wallet_options
        """,
        "billing_portal.session": """
            after_expiration configuration created customer customer_account flow livemode locale
            on_behalf_of return_url url
        """,
        "ephemeral_key": "created expires livemode secret",
        "customer_session": "client_secret components created customer customer_account expires_at livemode",
        "product": """
            active created default_price deleted description images livemode marketing_features metadata
            name package_dimensions shippable statement_descriptor tax_code tax_details type unit_label
            updated url
        """,
        "price": """
            active billing_scheme created currency currency_options custom_unit_amount deleted livemode
            lookup_key metadata nickname product recurring tax_behavior tiers tiers_mode transform_quantity
            type unit_amount unit_amount_decimal
        """,
        "balance_transaction": """
            amount available_on balance_type created currency description exchange_rate fee fee_details net
            reporting_category source status type
        """,
        "line_item": """
            amount currency description discount_amounts discountable discounts invoice livemode metadata
            parent period pretax_credit_amounts pricing quantity quantity_decimal subscription subtotal
            taxes
        """,
        "invoice_payment": """
            amount_paid amount_requested created currency invoice is_default livemode payment status
            status_transitions
        """,
        "item": """
            adjustable_quantity amount_discount amount_subtotal amount_tax amount_total currency description
            discounts metadata price quantity taxes
        """,
        "plan": """
            active amount amount_decimal billing_scheme created currency deleted interval interval_count
            livemode metadata meter nickname product tiers tiers_mode transform_usage trial_period_days
            usage_type
        """,
        "discount": """
            checkout_session customer customer_account deleted end invoice invoice_item promotion_code
            source start subscription subscription_item
        """,
        "tax_rate": """
            active country created description display_name effective_percentage flat_amount inclusive
            jurisdiction jurisdiction_level livemode metadata percentage rate_type state tax_type
        """,
        **BILLING_ATTRIBUTES,
    }
)
