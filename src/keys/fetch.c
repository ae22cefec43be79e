/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: libcurl, restricted to one thing. */
#include "keys/fetch.h"

#include <curl/curl.h>
#include <pthread.h>

#include "base/limits.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *p, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_add(b, p, size * n);
	return buf_failed(b) ? 0 : size * n;
}

bool fetch_https(const char *url, const char *ca, struct buf *ret, struct buf *error)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode e = CURLE_OUT_OF_MEMORY;
	long status = 0;
	CURL *c;

	pthread_once(&once, begin);
	c = curl_easy_init();
	if (c) {
		curl_easy_setopt(c, CURLOPT_URL, url);
		curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
		curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
		curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_SECONDS);
		curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)FETCH_SECONDS);
		curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)FETCH_BYTES_MAX);
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(c, CURLOPT_USERAGENT, "taximeter/" TXM_VERSION);
		curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(c, CURLOPT_WRITEDATA, ret);
		if (ca)
			curl_easy_setopt(c, CURLOPT_CAINFO, ca);
		e = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_cleanup(c);
	}
	if (buf_failed(ret))
		buf_printf(error, "%s: the answer is larger than %zu KiB", url, ret->max / KIB);
	else if (e != CURLE_OK)
		buf_printf(error, "%s: %s", url, reason[0] ? reason : curl_easy_strerror(e));
	else if (status != 200)
		buf_printf(error, "%s: status %ld%s", url, status, status >= 300 && status < 400 ? " (redirects are not followed)" : "");
	return e == CURLE_OK && status == 200 && !buf_failed(ret);
}
