#include "tests/server/session/builders.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>

namespace continuo::session::test {

Document document(std::string_view text) {
  Result<Document> parsed = parse_session(json(text), counter());
  if (!parsed) FAIL(parsed.error().field << ": " << parsed.error().message);
  return *parsed;
}

google::protobuf::RepeatedPtrField<v1::Operation> operations(std::string_view list) {
  v1::ApplyRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage("{\"operations\": " + json(list) + "}", &request);
  REQUIRE_MESSAGE(status.ok(), status.ToString());
  return request.operations();
}

Result<EditResult> edit(Document& document, std::string_view list, const UidSource& new_uid) {
  Document copy = document;
  Result<EditResult> result = apply_operations(copy, operations(list), new_uid);
  if (result) document = std::move(copy);
  return result;
}

}  // namespace continuo::session::test
