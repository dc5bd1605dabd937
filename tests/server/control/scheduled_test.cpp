#include "server/control/scheduled.hpp"

#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kTone =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

std::string silence(const std::string& when) {
  return "{'operations':[{'setParams':{'path':'a','values':{'gain_db':-150},'rampMs':0}}],'when':" + when + "}";
}

double gain_of(Rig& rig) {
  const auto params =
      rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a", std::move(done)); });
  REQUIRE(params);
  for (const auto& param : params->params()) {
    if (param.spec().name() == "gain_db") return param.value().number_value();
  }
  return 1e9;
}

}  // namespace

TEST_CASE("a value at an engine frame: scheduled, applied at that very sample, then in the document") {
  Rig rig;
  rig.applied(kTone);
  rig.hardware->run(9600);
  const auto feed = rig.watch();
  const auto begin = static_cast<std::int64_t>(rig.hardware->frames());
  rig.hardware->clear_recording();
  const std::int64_t due = begin + 10'001;
  const auto answer = rig.apply(silence("{'engineFrame':{'frame':'" + std::to_string(due) + "'}}"));
  REQUIRE(answer);
  CHECK(answer->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
  CHECK(answer->transaction_id() != 0);
  CHECK(gain_of(rig) == 0.0);
  REQUIRE(rig.until([&] { return gain_of(rig) == -150.0; }));
  const auto heard = rig.hardware->recording(0);
  CHECK(heard[10'000] != 0.0f);
  for (std::size_t i = 10'001; i < heard.size(); ++i) REQUIRE(heard[i] == 0.0f);
  std::int64_t told = 0;
  while (const auto message = feed->next({})) {
    if (message->has_applied() && message->applied().transaction_id() == answer->transaction_id()) {
      told = message->applied().engine_frame();
    }
  }
  CHECK(told == due);
  CHECK(rig.status().revision().number() == 2);
}

TEST_CASE("what cannot be scheduled is refused; the past is now; another clock's frame is not ours") {
  Rig rig;
  rig.applied(kTone);
  const std::string later = ",'when':{'afterSeconds':5}}";
  for (const char* operation :
       {"{'addNode':{'node':{'id':'b','type':'track'}}}", "{'recordStart':{}}", "{'locate':{'timelineFrame':'5'}}"}) {
    const auto refused = rig.apply(std::string("{'operations':[") + operation + "]" + later);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unimplemented);
    CHECK(refused.error().field == "when");
  }
  CHECK(rig.apply(silence("{'engineFrame':{'frame':'9999999','generation':'7'}}")).error().kind == ErrorKind::aborted);
  CHECK(rig.apply(silence("{'engineFrame':{'frame':'-1'}}")).error().kind == ErrorKind::invalid_argument);
  const auto past = rig.apply(silence("{'engineFrame':{'frame':'1'}}"));
  REQUIRE(past);
  CHECK(past->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
}

TEST_CASE("an edit that would break a scheduled transaction is refused and names it; a load drops it") {
  Rig rig;
  rig.applied(kTone);
  const auto held = rig.apply(silence("{'afterSeconds':1000}"));
  REQUIRE(held);
  const auto refused = rig.apply("{'operations':[{'removeNode':{'path':'a'}}]}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::failed_precondition);
  CHECK(refused.error().message.find(std::to_string(held->transaction_id())) != std::string::npos);
  REQUIRE(rig.load("{'format':1}"));
  rig.applied(kTone);
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
}

TEST_CASE("the number of scheduled transactions is bounded") {
  Rig rig;
  rig.applied(kTone);
  for (std::size_t i = 0; i < Scheduled::kMaxHeld; ++i) {
    bool taken = false;
    rig.engine->apply(Rig::request(silence("{'afterSeconds':1000}")),
                      [&](const auto& answer) { taken = static_cast<bool>(answer); });
    REQUIRE(rig.until([&] { return taken; }));
  }
  const auto over = rig.apply(silence("{'afterSeconds':1000}"));
  REQUIRE_FALSE(over);
  CHECK(over.error().kind == ErrorKind::resource_exhausted);
}
