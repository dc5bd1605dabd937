#include <cmath>
#include <string>
#include <utility>

#include "server/control/text_check.hpp"
#include "server/control/transaction.hpp"

namespace continuo::control {
namespace {

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

}  // namespace

Result<> check_request(const v1::ApplyRequest& request) {
  if (request.operations_size() < 1)
    return bad("MISSING_FIELD", "operations", "a transaction has at least one operation");
  if (request.operations_size() > Transactions::kMaxOperations) {
    return bad("TOO_MANY", "operations",
               "a transaction has at most " + std::to_string(Transactions::kMaxOperations) + " operations, not " +
                   std::to_string(request.operations_size()));
  }
  if (request.request_id().size() > 64) return bad("TOO_LONG", "request_id", "request_id has at most 64 characters");
  if (const Result<> client = check_text(request.client(), "client"); !client) return client;
  if (const Result<> tokens = check_tokens(request.leases()); !tokens) return tokens;
  if (request.has_wait() && request.wait() != v1::WAIT_COMMITTED && request.wait() != v1::WAIT_APPLIED) {
    return bad("UNKNOWN_ENUM", "wait", "wait is WAIT_COMMITTED or WAIT_APPLIED");
  }
  if (request.expected_nodes_size() > Transactions::kMaxExpectedNodes) {
    return bad("TOO_MANY", "expected_nodes",
               "at most " + std::to_string(Transactions::kMaxExpectedNodes) + " nodes are looked at");
  }
  if (!request.has_when()) return {};
  switch (request.when().kind_case()) {
    case v1::When::kNow:
      return {};
    case v1::When::KIND_NOT_SET:
      return bad("MISSING_FIELD", "when", "the time is empty, or from a newer version");
    case v1::When::kAfterSeconds:
      if (std::isfinite(request.when().after_seconds()) && request.when().after_seconds() >= 0.0) return {};
      return bad("OUT_OF_RANGE", "when.after_seconds", "after_seconds must be 0 or more");
    case v1::When::kEngineFrame:
      if (request.when().engine_frame().frame() >= 0) return {};
      return bad("OUT_OF_RANGE", "when.engine_frame.frame", "frame must be 0 or more");
    case v1::When::kTimelineFrame:
      if (request.when().timeline_frame() >= 0 && request.when().timeline_frame() <= kLatestFrame) return {};
      return bad("OUT_OF_RANGE", "when.timeline_frame", "timeline_frame must be 0 to " + std::to_string(kLatestFrame));
    case v1::When::kUtc:
      if (parse_utc(request.when().utc())) return {};
      return bad("BAD_TIME", "when.utc", "utc must be like 2026-11-20T12:00:00Z");
  }
  return {};
}

}  // namespace continuo::control
