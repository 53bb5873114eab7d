// Every rule that a column of ops.def can name.
#pragma once

#include "ir/rules/elementwise.h"
#include "ir/rules/random.h"
