// Plans for several threads: cut soundly, and the same samples as on one.
#include "server/session/cut_tasks.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"
#include "tests/server/session/random_document.hpp"
#include "tests/server/session/session_cases.hpp"
#include "tests/support/workers.hpp"

namespace session = continuo::session;
namespace rt = continuo::rt;
using namespace continuo::session;

namespace {

/// `count` tracks of an oscillator and `chain`, to one bus and the device.
Document tracks(int count, const std::string& chain) {
  std::string nodes, connections;
  for (int i = 1; i <= count; ++i) {
    const std::string id = "t" + std::to_string(i);
    nodes += R"({"id":")" + id + R"(","type":"track","params":{"pan":)" + std::to_string(i % 7 * 0.1) +
             R"(},"children":[{"id":"osc","type":"oscillator","params":{"frequency_hz":)" + std::to_string(90 + 7 * i) +
             R"(,"gain_db":-30}})" + chain + "]},";
    connections += R"({"from":")" + id + R"(","to":"mix"},)";
  }
  rt::Uid uid = 0;
  auto document = parse_session(R"({"format":1,"nodes":[)" + nodes + R"({"id":"mix","type":"bus"}],"connections":[)" +
                                    connections + R"({"from":"mix","to":"out"}]})",
                                [&uid] { return ++uid; });
  REQUIRE(document);
  return std::move(*document);
}

const std::string kComp = R"(,{"id":"comp","type":"compressor"})";

std::unique_ptr<rt::RenderPlan> plan_of(PlanCompiler& compiler, const Document& document, std::uint32_t threads) {
  CompileRequest request;
  request.document = &document;
  request.fade_edits = false;
  request.meters = false;
  request.threads = threads;
  return compiler.compile(request).plan;
}

}  // namespace

TEST_CASE("64 equal tracks are four tasks with their part of the sum, and one that brings it together") {
  PlanCompiler compiler;
  const auto plan = plan_of(compiler, tracks(64, kComp), 2);
  CHECK(session::test::fault_of(*plan) == "");
  CHECK(session::test::task_fault_of(*plan) == "");
  std::size_t with_comp = 0, roots_with_sum = 0;
  std::size_t step = 0;
  for (std::uint32_t t = 0; t < plan->tasks.size(); ++t) {
    std::size_t comps = 0, mixes = 0;
    for (; step < plan->part_ends[plan->tasks[t].end_part - 1]; ++step) {
      comps += plan->steps[step].kind->name() == std::string("compressor");
      mixes += plan->steps[step].kind->name() == std::string("mix");
    }
    with_comp += comps;
    roots_with_sum += comps == 1 && mixes >= 2 && plan->tasks[t].before_count == 0;
  }
  CHECK(with_comp == 4);
  CHECK(roots_with_sum == 4);
  CHECK(plan->tasks.back().before_count >= 4);
}

TEST_CASE("what one thread does best stays whole: little work, one long way, one thread") {
  PlanCompiler one, few, chain;
  CHECK(plan_of(one, tracks(64, kComp), 1)->tasks.empty());
  CHECK(plan_of(few, tracks(3, ""), 4)->tasks.empty());
  std::string effects;
  for (int i = 0; i < 40; ++i) effects += R"(,{"id":"c)" + std::to_string(i) + R"(","type":"compressor"})";
  const auto plan = plan_of(chain, tracks(1, effects), 4);
  CHECK(plan->tasks.empty());
  CHECK(session::test::fault_of(*plan) == "");
}

TEST_CASE("a plan for one thread is what it was: no buffer more") {
  const Document document = tracks(40, kComp);
  PlanCompiler one, two;
  const auto alone = plan_of(one, document, 1);
  const auto shared = plan_of(two, document, 2);
  CHECK(session::test::task_fault_of(*alone) == "");
  CHECK(alone->slab_floats <= shared->slab_floats);
  CHECK(alone->steps.size() < shared->steps.size());  // its mixes are whole
}

TEST_CASE("one source for many: they do not wait for each other") {
  std::string nodes, connections;
  for (int i = 1; i <= 48; ++i) {
    const std::string id = "t" + std::to_string(i);
    nodes += R"({"id":")" + id +
             R"(","type":"track","children":[{"id":"c","type":"compressor"},{"id":"d","type":"compressor"}]},)";
    connections += R"({"from":"in:1","to":")" + id + R"("},{"from":")" + id + R"(","to":"out"},)";
  }
  nodes.pop_back(), connections.pop_back();
  rt::Uid uid = 0;
  const auto document = parse_session(R"({"format":1,"nodes":[)" + nodes + R"(],"connections":[)" + connections + "]}",
                                      [&uid] { return ++uid; });
  REQUIRE(document);
  PlanCompiler compiler;
  CompileRequest request;
  request.document = &*document;
  request.shape.in_channels = 1;
  request.fade_edits = false;
  request.threads = 3;
  const auto plan = compiler.compile(request).plan;
  CHECK(session::test::task_fault_of(*plan) == "");
  const auto behind_the_source = std::count_if(plan->tasks.begin(), plan->tasks.end(),
                                               [](const rt::Task& task) { return task.before_count == 1; });
  CHECK(behind_the_source >= 3);
}

TEST_CASE("any document gives sound tasks, for any number of threads") {
  std::size_t cut = 0;
  CHECK(rc::check([&](std::uint32_t seed) {
    const Document document = session::test::random_document(
        seed, {.roots = 4 + static_cast<int>(seed % 40), .connections = static_cast<int>(seed % 90)});
    for (const std::uint32_t threads : {2u, 4u, 9u}) {
      PlanCompiler compiler;
      CompileRequest request;
      request.document = &document;
      request.shape.in_channels = seed % 10;
      request.threads = threads;
      const auto plan = compiler.compile(request).plan;
      RC_ASSERT(session::test::fault_of(*plan) == "");
      RC_ASSERT(session::test::task_fault_of(*plan) == "");
      cut += plan->tasks.empty() ? 0 : 1;
    }
  }));
  CHECK(cut > 50);  // not in vain
}

TEST_CASE("any graph sounds the same on 1, 2 and 4 threads, bit for bit, through edits with their fades") {
  std::uint64_t helped = 0;
  CHECK(rc::check([&](std::uint32_t seed) {
    const session::test::RandomShape shape{.roots = 6 + static_cast<int>(seed % 30),
                                           .connections = 5 + static_cast<int>(seed % 60)};
    const Document before = session::test::random_document(seed, shape);
    Document after = before;  // every third connection goes, and comes back
    std::erase_if(after.connections.edit(), [n = 0](const DocConnection&) mutable { return ++n % 3 == 0; });
    const auto sound = [&](std::uint32_t threads, std::uint32_t buffer) {
      continuo::test::Workers workers(threads - 1);
      session::test::Rig rig(seed % 5, 2 + seed % 7);
      for (const auto& [name, channels] :
           std::map<std::string, std::uint32_t>{{"mono.wav", 1}, {"stereo.wav", 2}, {"quad.wav", 4}}) {
        rig.media[name] = {.channels = channels, .sample_rate_hz = 48000, .frames = 8192};
      }
      if (threads > 1) rig.use_team(workers.team);
      rig.start_timeline();
      rig.request.timeline_rolling = true;
      rig.take(before);
      session::test::Sound out = rig.render(700, buffer);
      rig.take(after);
      session::test::Sound more = rig.render(500, buffer);
      for (std::size_t c = 0; c < out.size(); ++c) out[c].insert(out[c].end(), more[c].begin(), more[c].end());
      rig.take(before);
      more = rig.render(500, buffer);
      helped += workers.team.helped();
      for (std::size_t c = 0; c < out.size(); ++c) out[c].insert(out[c].end(), more[c].begin(), more[c].end());
      return out;
    };
    const session::test::Sound alone = sound(1, 64);
    RC_ASSERT(sound(2, 350) == alone);
    RC_ASSERT(sound(4, 512) == alone);
  }));
  CHECK(helped > 0);
}
