"""What a service takes and gives, as OpenAPI 3.1 says it: made of the network that answers."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import multilayer
from multilayer.serve.limits import Limits
from multilayer.serve.predictors import OfNumbers, OfTable, Predictor
from multilayer.serve.problems import MEDIA_TYPE

_NUMBER: dict[str, Any] = {"type": "number"}
_TEXT: dict[str, Any] = {"type": "string"}
_SAID = {
    400: "The body is broken: no JSON, no CSV, or no picture.",
    403: "A page of another origin asks.",
    404: "The page cannot show this network.",
    408: "The body did not come in time.",
    409: "That cannot be done now.",
    413: "The body, a picture, or the number of rows is too large.",
    415: "The body is of a type that the network does not read.",
    421: "The service does not go by the name in the Host header.",
    422: "The rows are not of the form that the network takes.",
    503: "Too much waits already; try again in a moment.",
}


def describe(predictor: Predictor, limits: Limits, paths: Collection[str]) -> dict[str, Any]:
    """The description of a service around a network, as far as it has these paths."""
    every = {
        "/predict": {"post": _predict(predictor, limits)},
        "/healthz": {"get": _get("health", "Whether the service is there", "application/json", _HEALTH)},
        "/metrics": {"get": _get("metrics", "What it has done, for Prometheus", "text/plain", _TEXT)},
        "/openapi.json": {"get": _get("openapi", "This description", "application/json", _OBJECT)},
        "/": {"get": _get("page", "The page", "text/html", _TEXT)},
        "/network": {"get": _get("network", "The network, for the page", "application/json", _OBJECT, 404)},
        "/columns": {"get": _get("columns", "The columns of a row, for the page", "application/json", _OBJECT)},
        "/training": {
            "get": _get("events", "Server-sent events of the training, without end", "text/event-stream", _TEXT),
            "post": _DIRECT,
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "A network behind a URL",
            "version": multilayer.__version__,
            "description": "Errors of all paths have one form: RFC 9457's problem details.",
        },
        "paths": {path: operations for path, operations in every.items() if path in paths},
        "components": {
            "schemas": {"Answer": _answer(predictor), "Problem": _PROBLEM, "Question": _question(predictor, limits)}
        },
    }


_OBJECT = {"type": "object"}
_HEALTH = {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
}


def _refusal(status: int) -> dict[str, Any]:
    return {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _content(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _get(name: str, summary: str, media_type: str, schema: dict[str, Any], *refusals: int) -> dict[str, Any]:
    responses = {"200": _content(summary, media_type, schema)}
    responses |= {str(status): _refusal(status) for status in (*refusals, 421)}
    return {"operationId": name, "summary": summary, "responses": responses}


_ORDER = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "action": {"enum": ["start", "pause", "resume", "stop"]},
        "learning_rate": {"type": "number", "exclusiveMinimum": 0},
    },
}
_DIRECT = {
    "operationId": "direct",
    "summary": "Directs the training",
    "requestBody": {"required": True, "content": {"application/json": {"schema": _ORDER}}},
    "responses": {
        "200": _content("How it stands", "application/json", _OBJECT),
        **{str(status): _refusal(status) for status in (400, 403, 409, 413, 415, 421)},
    },
}


def _predict(predictor: Predictor, limits: Limits) -> dict[str, Any]:
    content: dict[str, Any] = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Question"}},
        "text/csv": {"schema": {"type": "string", "minLength": 1, "maxLength": limits.text_bytes}},
    }
    if predictor.takes_pictures:
        content |= {"image/png": {}, "image/jpeg": {}}
    answer = {
        "description": "What the network says",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
    }
    return {
        "operationId": "predict",
        "summary": "What the network says of rows" + (", or of a picture" if predictor.takes_pictures else ""),
        "requestBody": {"required": True, "content": content},
        "responses": {"200": answer, **{str(status): _refusal(status) for status in _SAID if status not in (404, 409)}},
    }


def _question(predictor: Predictor, limits: Limits) -> dict[str, Any]:
    row = _row_of_table(predictor) if isinstance(predictor, OfTable) else _row(predictor)
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": limits.rows}
    return {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": rows}}


def _row(predictor: Predictor) -> dict[str, Any]:
    if not isinstance(predictor, OfNumbers):
        return {}
    forms = [_nested(shape) for shape in predictor.shapes]
    if len(forms) == 1:
        shape = predictor.shapes[0]
        if len(shape) > 1 and None not in shape:
            return {"anyOf": [forms[0], _nested((math.prod(side or 0 for side in shape),))]}
        return forms[0]
    named = dict(zip(predictor.names, forms, strict=True))
    return {"type": "object", "required": predictor.names, "additionalProperties": False, "properties": named}


def _nested(shape: tuple[int | None, ...]) -> dict[str, Any]:
    """An array of a shape, None for a side of any length."""
    schema = _NUMBER
    for side in reversed(shape):
        schema = {"type": "array", "items": schema} | ({} if side is None else {"minItems": side, "maxItems": side})
    return schema


# In one request the values of a column are of one kind.
_KINDS: dict[str, dict[str, Any]] = {
    "number": {
        "anyOf": [{"type": ["number", "null"]}, {"type": "string", "pattern": r"^[-+]?[0-9]{1,15}(\.[0-9]{1,15})?$"}]
    },
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "text": {"type": ["string", "null"]},
}


def _row_of_table(predictor: OfTable) -> dict[str, Any]:
    columns = {name: _KINDS[form.partition(":")[0]] for name, form in predictor.forms.items()}
    listed = {
        "type": "array",
        "minItems": len(columns),
        "maxItems": len(columns),
        "prefixItems": list(columns.values()),
    }
    return {"anyOf": [{"type": "object", "required": list(columns), "properties": columns}, listed]}


def _answer(predictor: Predictor) -> dict[str, Any]:
    labels = predictor.labels
    properties: dict[str, Any] = {
        "predictions": {"type": "array", "items": {} if labels is None else {"enum": labels}},
        "notes": {"type": "array", "items": _TEXT},
    }
    required = ["predictions"]
    if labels is not None:
        shares = {"type": "array", "items": _NUMBER, "minItems": len(labels), "maxItems": len(labels)}
        properties |= {"probabilities": {"type": "array", "items": shares}, "labels": {"const": labels}}
        required += ["probabilities", "labels"]
    if predictor.takes_pictures:
        done = {
            "type": "object",
            "properties": {"prepared": {"type": "array", "items": _TEXT}, "doubt": {"type": ["string", "null"]}},
        }
        properties["pictures"] = {"type": "array", "items": done}
    return {"type": "object", "required": required, "properties": properties}
