/* SPDX-License-Identifier: Apache-2.0 */
/* json.cc: simdjson under a C header (decode/json.h).  Only the first of its two stages is used, through the interface
 * that its own parsers use, so the kernel for this machine is chosen at run time by the library. */
#include "decode/json.h"

#include <climits>
#include <memory>
#include <new>

#include <simdjson.h>

struct json_indexer {
	std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
	size_t capacity;
};

extern "C" struct json_indexer *json_indexer_new(void)
{
	return new (std::nothrow) json_indexer{ nullptr, 0 };
}

extern "C" void json_indexer_free(struct json_indexer *x)
{
	delete x;
}

static enum json_error grow(struct json_indexer *x, size_t n)
{
	size_t want = x->capacity ? x->capacity : 16384;
	while (want < n)
		want += want / 2;
	if (x->parser) {
		if (x->parser->allocate(want, 64) != simdjson::SUCCESS) {
			x->capacity = 0;
			x->parser.reset();
			return JSON_NO_MEMORY;
		}
	} else if (simdjson::get_active_implementation()->create_dom_parser_implementation(want, 64, x->parser) != simdjson::SUCCESS) {
		return JSON_NO_MEMORY;
	}
	x->capacity = want;
	return JSON_OK;
}

extern "C" bool json_is_utf8(const char *p, size_t n)
{
	return simdjson::validate_utf8(p, n);
}

extern "C" enum json_error json_index(struct json_indexer *x, const char *p, size_t n, struct json_index *ret)
{
	if (n == 0)
		return JSON_EMPTY;
	if (n > x->capacity) {
		enum json_error e = grow(x, n);
		if (e != JSON_OK)
			return e;
	}
	switch (x->parser->stage1(reinterpret_cast<const uint8_t *>(p), n, simdjson::stage1_mode::regular)) {
	case simdjson::SUCCESS:
		break;
	case simdjson::EMPTY:
		return JSON_EMPTY;
	case simdjson::UTF8_ERROR:
		return JSON_BAD_UTF8;
	case simdjson::MEMALLOC:
		return JSON_NO_MEMORY;
	default:
		return JSON_BAD_STRING;
	}
	ret->p = p;
	ret->at = x->parser->structural_indexes.get();
	ret->n = x->parser->n_structural_indexes;
	ret->len = (uint32_t)n;
	const_cast<uint32_t *>(ret->at)[ret->n] = (uint32_t)n;
	return JSON_OK;
}
