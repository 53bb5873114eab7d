// Element-wise ops as instructions of kernel IR: the scalar definitions instantiated for traced numbers (traced.h), and the few
// ops that are composed of others.
#pragma once

#include <span>

#include "codegen/body.h"
#include "ir/op.h"

namespace autoray::codegen {

// The op on operands of the dtype in which its loop computes (a condition of where is bool); the result may have another dtype
// than asked for, which the caller casts. Absent operands have no value. `parameters`: see Parameters.
using Lowering = Parts (*)(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);

// Null where no code is generated for the op in that dtype.
Lowering pointwise(ir::OpId op, ir::DType dtype);
// It calls a function: worth storing rather than computing twice.
bool is_expensive(ir::OpId op, ir::DType dtype);
// It calls a function of ours, which an object does not have.
bool is_hosted(ir::OpId op, ir::DType dtype);
// The parameter, at every point.
Parts constant_value(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);
// The operand; whether it is 0; whether it is at most 0.
Parts identity(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);
Parts is_zero(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);
Parts is_at_most_zero(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);
// An integer to the power of a constant, which is the parameter.
Parts integer_power(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);
// An integer to the power of another that is not negative.
Parts power_by_squaring(Body& body, ir::DType dtype, std::span<const Parts> operands, std::span<const double> parameters);

}  // namespace autoray::codegen
