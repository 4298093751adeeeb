"""Examples of messages, for the OpenAPI document; and what operations have in common there."""

from typing import Any

Json = dict[str, Any]

HEADER: Json = {
    "version": "1.0.0",
    "message_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10",
    "message_ts": "2026-11-29T09:30:00+07:00",
    "action": "search",
    "sender_id": "spmis.mosvy.gov.kh",
    "sender_uri": "https://spmis.mosvy.gov.kh/spdci",
    "receiver_id": "registry.sangkroh",
    "total_count": 1,
    "is_msg_encrypted": False,
}
SIGNATURE = (
    'Signature: namespace="spdci", kidId="spmis.mosvy.gov.kh|key-1|ed25519", '
    'algorithm="ed25519", created="1796002200", expires="1796005800", '
    'headers="(created) (expires) digest", signature="<base64>"'
)

SEARCH: Json = {
    "signature": SIGNATURE,
    "header": HEADER,
    "message": {
        "transaction_id": "2026-11-29-001",
        "search_request": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T09:30:00+07:00",
                "search_criteria": {
                    "version": "1.0.0",
                    "reg_type": "ns:org:RegistryType:Social",
                    "response_entity": "Group",
                    "query_type": "predicate",
                    "query": [
                        {
                            "seq_num": 1,
                            "expression1": {
                                "attribute_name": "location",
                                "operator": "eq",
                                "attribute_value": "0102",
                            },
                            "condition": "and",
                            "expression2": {
                                "attribute_name": "group_size",
                                "operator": "ge",
                                "attribute_value": "5",
                            },
                        }
                    ],
                    "sort": [{"attribute_name": "group_size", "sort_order": "desc"}],
                    "pagination": {"page_size": 100, "page_number": 1},
                },
                "locale": "eng",
            }
        ],
    },
}

SEARCHED: Json = {
    "header": {
        "version": "1.0.0",
        "message_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a11",
        "message_ts": "2026-11-29T02:30:00.120+00:00",
        "action": "on-search",
        "status": "succ",
        "total_count": 1,
        "completed_count": 1,
        "sender_id": "registry.sangkroh",
        "receiver_id": "spmis.mosvy.gov.kh",
        "is_msg_encrypted": False,
    },
    "message": {
        "transaction_id": "2026-11-29-001",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
        "search_response": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T02:30:00.120+00:00",
                "status": "succ",
                "data": {
                    "version": "1.0.0",
                    "reg_type": "ns:org:RegistryType:Social",
                    "reg_record_type": "Group",
                    "reg_records": [],
                },
                "pagination": {"page_size": 100, "page_number": 1, "total_count": 0},
                "locale": "eng",
            }
        ],
    },
}

ACKNOWLEDGED: Json = {
    "message": {
        "ack_status": "ACK",
        "timestamp": "2026-11-29T02:30:00.120+00:00",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
    }
}

SUBSCRIBE: Json = {
    "signature": SIGNATURE,
    "header": {**HEADER, "action": "subscribe"},
    "message": {
        "transaction_id": "2026-11-29-003",
        "subscribe_request": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T09:30:00+07:00",
                "subscribe_criteria": {
                    "version": "1.0.0",
                    "reg_type": "ns:org:RegistryType:Social",
                    "reg_event_type": "REGISTER",
                    "filter_type": "predicate",
                    "filter": [
                        {
                            "seq_num": 1,
                            "expression1": {
                                "attribute_name": "location",
                                "operator": "eq",
                                "attribute_value": "0102",
                            },
                        }
                    ],
                    "notify_record_type": "Group",
                },
                "locale": "eng",
            }
        ],
    },
}

UNSUBSCRIBE: Json = {
    "signature": SIGNATURE,
    "header": {**HEADER, "action": "unsubscribe"},
    "message": {
        "transaction_id": "2026-11-29-004",
        "timestamp": "2026-11-29T09:30:00+07:00",
        "subscription_codes": ["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a14"],
    },
}

TXN_STATUS: Json = {
    "signature": SIGNATURE,
    "header": {**HEADER, "action": "txn-status"},
    "message": {
        "transaction_id": "2026-11-29-002",
        "txnstatus_request": {
            "reference_id": "1",
            "txn_type": "search",
            "attribute_type": "correlation_id",
            "attribute_value": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
        },
    },
}

TXN_STATUS_TOLD: Json = {
    "header": {**SEARCHED["header"], "action": "txn-on-status"},
    "message": {
        "transaction_id": "2026-11-29-002",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a13",
        "txnstatus_response": {
            "txn_type": "search",
            "txn_status": {
                "transaction_id": "2026-11-29-001",
                "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
                "search_response": [
                    {
                        "reference_id": "1",
                        "timestamp": "2026-11-29T02:30:00.120+00:00",
                        "status": "pdng",
                    }
                ],
            },
        },
    },
}

SEARCH_BENEFICIARIES: Json = {
    "signature": SIGNATURE,
    "header": HEADER,
    "message": {
        "transaction_id": "2026-11-29-005",
        "search_request": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T09:30:00+07:00",
                "search_criteria": {
                    "version": "1.0.0",
                    "query_type": "predicate",
                    "query": [
                        {
                            "seq_num": 1,
                            "expression1": {
                                "attribute_name": "programme_identifier",
                                "operator": "eq",
                                "attribute_value": "flood-2022",
                            },
                        }
                    ],
                    "pagination": {"page_size": 100, "page_number": 1},
                },
                "locale": "eng",
            }
        ],
    },
}

BENEFICIARIES_FOUND: Json = {
    "header": SEARCHED["header"],
    "message": {
        "transaction_id": "2026-11-29-005",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
        "search_response": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T02:30:00.120+00:00",
                "status": "succ",
                "data": {"version": "1.0.0", "reg_records": []},
                "pagination": {"page_size": 100, "page_number": 1, "total_count": 0},
                "locale": "eng",
            }
        ],
    },
}

ENROLLED: Json = {
    "signature": SIGNATURE,
    "header": HEADER,
    "message": {
        "transaction_id": "2026-11-29-006",
        "enrolled_criteria": {
            "query_type": "idtype-value",
            "query": {
                "person_identifier": {"eq": "010203045"},
                "programme_identifier.programme.programme_identifier": {"eq": "flood-2022"},
            },
        },
    },
}

ENROLLED_TOLD: Json = {
    "header": SEARCHED["header"],
    "message": {
        "transaction_id": "2026-11-29-006",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
        "enrolled_response": [
            {
                "reference_id": "2026-11-29-006",
                "timestamp": "2026-11-29T02:30:00.120+00:00",
                "status": "succ",
                "enrolled_status": "yes",
            }
        ],
    },
}

ENROLMENTS_TOLD: Json = {
    "signature": SIGNATURE,
    "header": {**HEADER, "action": "notify", "status": "succ"},
    "message": {
        "transaction_id": "2026-11-29-007",
        "enrolled_updates": {
            "beneficiaries": [
                {
                    "@type": "Beneficiary",
                    "assistance_unit": "individual",
                    "member": {
                        "demographic_info": {
                            "person": {
                                "identifier_type": "NationalID",
                                "identifier_value": "010203045",
                            }
                        },
                        "programme_identifier": {
                            "programme": {"programme_identifier": "covid-cash"},
                            "enrolment_status": "Active",
                        },
                    },
                }
            ]
        },
    },
}

ENROLMENTS_TAKEN: Json = {
    "header": {**SEARCHED["header"], "action": "on-notify"},
    "message": {
        "transaction_id": "2026-11-29-007",
        "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
        "enrolled_response": [
            {
                "reference_id": "1",
                "timestamp": "2026-11-29T02:30:00.120+00:00",
                "status": "succ",
            }
        ],
    },
}

NOTHING_FOLLOWS: Json = {"message": {**ACKNOWLEDGED["message"], "ack_status": "NACK"}}


def _called_back(action: str, message: Json) -> Json:
    header = {**SEARCHED["header"], "action": action, "sender_id": "crvs.moi.gov.kh"}
    return {
        "signature": SIGNATURE,
        "header": {**header, "receiver_id": "registry.sangkroh"},
        "message": message,
    }


CALLBACKS: dict[str, Json] = {
    action: _called_back(action, message)
    for action, message in {
        "on-search": SEARCHED["message"],
        "txn-on-status": TXN_STATUS_TOLD["message"],
        "on-subscribe": {
            "transaction_id": "2026-11-29-003",
            "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
            "subscribe_response": [
                {
                    "reference_id": "1",
                    "timestamp": "2026-11-29T02:30:00.120+00:00",
                    "status": "succ",
                    "subscriptions": [
                        {
                            "code": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a14",
                            "status": "subscribe",
                            "timestamp": "2026-11-29T02:30:00.120+00:00",
                        }
                    ],
                }
            ],
        },
        "on-unsubscribe": {
            "transaction_id": "2026-11-29-004",
            "correlation_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a12",
            "timestamp": "2026-11-29T02:30:00.120+00:00",
            "status": "succ",
            "subscription_status": [
                {"code": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a14", "status": "unsubscribe"}
            ],
        },
        "notify": {
            "transaction_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a15",
            "notify_event": [
                {
                    "reference_id": "0199c1de-53a1-7f6b-8a27-2f1f6a1d9a14",
                    "timestamp": "2026-11-29T02:30:00.120+00:00",
                    "data": {
                        "version": "1.0.0",
                        "reg_type": "ns:org:RegistryType:Social",
                        "reg_event_type": "REGISTER",
                        "reg_record_type": "Group",
                        "reg_records": {},
                    },
                    "locale": "eng",
                }
            ],
        },
    }.items()
}

_ERROR: Json = {"errors": [{"code": "err.signature.invalid", "message": "It has ended."}]}
_ERROR_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            },
        }
    },
}


def body(example: Json) -> Json:
    """What an operation that receives a message says of it."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["header", "message"],
                        "properties": {
                            "signature": {"type": "string"},
                            "header": {"type": "object"},
                            "message": {"type": "object"},
                        },
                    },
                    "example": example,
                }
            },
        },
        "security": [{"Authorization": []}],
    }


def responses(example: Json) -> dict[int | str, Json]:
    """What an operation answers: a message, or an error of the standard's."""
    content = {"application/json": {"schema": _ERROR_SCHEMA, "example": _ERROR}}
    return {
        200: {"content": {"application/json": {"example": example}}},
        **{
            status: {"description": "Not taken.", "content": content}
            for status in (400, 401, 403, 429, 500, 503)
        },
    }
