// SPDX-License-Identifier: Apache-2.0
/* floor: the least work that can be done with simdjson's On-Demand interface to see the fields that `taximeter scan` uses:
 * read, index, visit, count and sum, and nothing else: no normalising, no hashing, no sorting, no duplicates, no state.
 *
 *   floor FILE [lines|many] [CHUNK-KiB]
 *
 * many: iterate_many over a chunk of whole lines (one thread); lines: iterate over each line by itself. */
#undef SIMDJSON_THREADS_ENABLED
#include <simdjson.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

using namespace simdjson;

struct sums {
	uint64_t records = 0, mail = 0, items = 0, bytes = 0, listed = 0, texts = 0, syncs = 0, errors = 0;
};

/* names of members hold no escapes here: the raw text up to its quote is cheaper than unescaped_key() */
static bool name_of(simdjson_result<ondemand::raw_json_string> &&k, std::string_view &ret)
{
	ondemand::raw_json_string raw;
	if (std::move(k).get(raw) != SUCCESS)
		return false;
	const char *p = raw.raw(), *q = p;
	while (*q != '"')
		q++;
	ret = std::string_view(p, static_cast<size_t>(q - p));
	return true;
}

static void text(ondemand::value v, sums &s)
{
	std::string_view t;
	if (v.get_string().get(t) == SUCCESS)
		s.texts += t.size();
}

static void folders(ondemand::value v, sums &s)
{
	ondemand::array list;
	if (v.get_array().get(list) != SUCCESS)
		return;
	for (auto folder : list) {
		ondemand::object o;
		if (folder.get_object().get(o) != SUCCESS)
			continue;
		for (auto f : o) {
			std::string_view key;
			if (!name_of(f.key(), key))
				return;
			if (key == "FolderItems") {
				ondemand::array items;
				if (f.value().get_array().get(items) != SUCCESS)
					continue;
				for (auto item : items) {
					s.listed++;
					uint64_t size;
					if (item.find_field("SizeInBytes").get_uint64().get(size) == SUCCESS)
						s.bytes += size;
				}
			} else if (key == "Id") {
				text(f.value().value(), s);
			}
		}
	}
}

static bool properties(ondemand::value v, sums &s)
{
	ondemand::array list;
	bool sync = false;
	if (v.get_array().get(list) != SUCCESS)
		return false;
	for (auto pair : list) {
		ondemand::object o;
		std::string_view name, value;
		if (pair.get_object().get(o) != SUCCESS || o["Name"].get_string().get(name) != SUCCESS || o["Value"].get_string().get(value) != SUCCESS)
			continue;
		s.texts += name.size();
		sync = sync || (name == "MailAccessType" && value == "Sync");
	}
	return sync;
}

static void record(ondemand::object o, sums &s)
{
	bool mail = false, sync = false;
	uint64_t count = 0, n;
	s.records++;
	for (auto f : o) {
		std::string_view key;
		if (!name_of(f.key(), key)) {
			s.errors++;
			return;
		}
		ondemand::value v;
		if (f.value().get(v) != SUCCESS) {
			s.errors++;
			return;
		}
		switch (key.size()) {
		case 2:
			if (key == "Id") text(v, s);
			break;
		case 5:
			if (key == "AppId") text(v, s);
			break;
		case 6:
			if (key == "UserId") text(v, s);
			break;
		case 7:
			if (key == "Folders") folders(v, s);
			break;
		case 8:
			if (key == "ClientIP" || key == "UserType") {
				if (key[0] == 'C') text(v, s);
				else if (v.get_uint64().get(n) == SUCCESS) s.texts += n;
			}
			break;
		case 9:
			if (key == "SessionId") text(v, s);
			else if (key == "LogonType" && v.get_uint64().get(n) == SUCCESS) s.texts += n;
			else if (key == "Operation") {
				std::string_view t;
				if (v.get_string().get(t) == SUCCESS) mail = t == "MailItemsAccessed";
			}
			break;
		case 10:
			if (key == "RecordType" && v.get_uint64().get(n) == SUCCESS) s.texts += n;
			break;
		case 11:
			if (key == "ClientAppId" || key == "MailboxGuid") text(v, s);
			break;
		case 12:
			if (key == "CreationTime" || key == "ResultStatus") text(v, s);
			break;
		case 13:
			if (key == "TokenTenantId") text(v, s);
			break;
		case 14:
			if (key == "OperationCount" && v.get_uint64().get(n) == SUCCESS) count = n;
			else if (key == "OrganizationId") text(v, s);
			break;
		case 15:
			if (key == "ClientIPAddress" || key == "MailboxOwnerUPN") text(v, s);
			break;
		case 16:
			if (key == "ClientInfoString") text(v, s);
			else if (key == "AppAccessContext") {
				ondemand::object c;
				if (v.get_object().get(c) == SUCCESS)
					for (auto m : c)
						text(m.value().value(), s);
			}
			break;
		case 19:
			if (key == "OperationProperties") sync = properties(v, s);
			break;
		default:
			break;
		}
	}
	s.mail += mail;
	if (mail && sync)
		s.syncs++;
	else if (mail)
		s.items += count;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: floor FILE [lines|many] [CHUNK-KiB]\n");
		return 2;
	}
	bool lines = argc > 2 && !strcmp(argv[2], "lines");
	size_t chunk = (argc > 3 ? strtoul(argv[3], nullptr, 10) : 1024) * 1024, have = 0;
	FILE *f = fopen(argv[1], "rb");
	char *p = static_cast<char *>(malloc(chunk + SIMDJSON_PADDING));
	if (!f || !p)
		return 3;
	setvbuf(f, nullptr, _IONBF, 0);
	ondemand::parser parser;
	sums s;
	for (;;) {
		size_t got = fread(p + have, 1, chunk - have, f), n = have + got;
		if (!n)
			break;
		const char *last = static_cast<const char *>(memrchr(p, '\n', n));
		size_t whole = last && got ? static_cast<size_t>(last - p) + 1 : n;
		if (lines) {
			for (size_t at = 0; at < whole;) {
				const char *end = static_cast<const char *>(memchr(p + at, '\n', whole - at));
				size_t length = end ? static_cast<size_t>(end - (p + at)) : whole - at;
				ondemand::document doc;
				ondemand::object o;
				if (length > 1 && (parser.iterate(p + at, length, chunk + SIMDJSON_PADDING - at).get(doc) || doc.get_object().get(o)))
					s.errors++;
				else if (length > 1)
					record(o, s);
				at += length + 1;
			}
		} else {
			ondemand::document_stream stream;
			if (parser.iterate_many(p, whole, chunk).get(stream))
				return 3;
			for (auto doc : stream) {
				ondemand::object o;
				if (doc.get_object().get(o))
					s.errors++;
				else
					record(o, s);
			}
		}
		have = n - whole;
		memmove(p, p + whole, have);
		if (!got)
			break;
	}
	printf("{\"records\":%lu,\"mail\":%lu,\"syncs\":%lu,\"items\":%lu,\"listed\":%lu,\"bytes\":%lu,\"texts\":%lu,\"errors\":%lu}\n", s.records, s.mail, s.syncs,
		s.items, s.listed, s.bytes, s.texts, s.errors);
	free(p);
	fclose(f);
	return 0;
}
