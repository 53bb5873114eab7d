// Rules of random draws. The first attribute of every draw is `size` (numpy's: None, an int, a shape), the
// second its dtype where it has one; parameters broadcast. Without a size and with scalar parameters a draw
// is a Python scalar (kind weak), as in numpy.
#pragma once

#include <optional>
#include <string_view>

#include "ir/op.h"

namespace autoray::ir {

// numpy's `size`: nullopt for None.
std::optional<Dims> draw_size(const Attr& attr);

void shape_draw(Inference& inference);    // size, or the broadcast parameters
void shape_rand(Inference& inference);    // random.rand(d0, d1, ...)
void shape_choice(Inference& inference);  // a's shape with its axis replaced by size

void dtype_draw(Inference& inference);           // float64, or the attribute dtype after a conversion (random.normal)
void dtype_draw_float(Inference& inference);     // float64 or float32 by the attribute dtype; others raise TypeError
void dtype_draw_integers(Inference& inference);  // bool or an integer dtype
void dtype_choice(Inference& inference);         // a's dtype, int64 where a is a population's size

Cost cost_draw(const Inference& inference);  // about ten operations a number

}  // namespace autoray::ir
