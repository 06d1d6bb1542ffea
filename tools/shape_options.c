// SPDX-License-Identifier: MIT
// Rules as options.
#include "tools/shape_options.h"

const char frec__shape_options_help[] =
	"  --span BEGIN,END[,key=FIELD][,name=NAME]\n"
	"                       an event begins a span that another one ends: on one thread, or "
	"with a key\n"
	"                       wherever the field has the same value. Rules may be given again\n"
	"  --counter EVENT.FIELD[,name=NAME]\n"
	"                       draw the field as a counter\n"
	"  --flow [EVENT.]FIELD[,[EVENT.]FIELD]...\n"
	"                       link events that have the same value in such a field by arrows\n"
	"  --log EVENT.FIELD[,level=FIELD]\n"
	"                       the field is a line of a log\n"
	"  --rules FILE         rules from a file, one a line: span, counter, flow or log and what "
	"follows them\n"
	"  --no-conventions     names such as request_start and request_done, or a field message, "
	"mean nothing\n";

int frec__shape_options_take(struct frec_shape_rules *rules, int option, const char *value,
			     struct frec_error *reterr)
{
	enum frec_shape_rule_kind kind;
	int result;

	switch (option) {
	case FREC_OPTION_RULES:
		result = frec__shape_rules_read(rules, value, reterr);
		return result ? result : 1;
	case FREC_OPTION_NO_CONVENTIONS:
		rules->no_conventions = true;
		return 1;
	case FREC_OPTION_SPAN:
		kind = FREC_RULE_SPAN;
		break;
	case FREC_OPTION_COUNTER:
		kind = FREC_RULE_COUNTER;
		break;
	case FREC_OPTION_FLOW:
		kind = FREC_RULE_FLOW;
		break;
	case FREC_OPTION_LOG:
		kind = FREC_RULE_LOG;
		break;
	default:
		return 0;
	}
	result = frec__shape_rules_add(rules, kind, value, reterr);
	return result ? result : 1;
}
