#include "unwind/names.h"
#include <stdlib.h>
void frec__names_destroy(struct frec_names_index *names)
{
	free(names);
}
