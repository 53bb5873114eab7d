// Every rule that a column of ops.def can name.
#pragma once

#include "ir/rules/contract.h"
#include "ir/rules/elementwise.h"
#include "ir/rules/index.h"
#include "ir/rules/linalg.h"
#include "ir/rules/movement.h"
#include "ir/rules/random.h"
#include "ir/rules/reduction.h"
