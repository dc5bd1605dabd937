// Request ids over restarts: an id counts if and only if the session that comes back has what it did.
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "server/control/request_ids.hpp"
#include "server/control/state_file.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string track(const std::string& id) { return "{'addNode':{'node':{'id':'" + id + "','type':'track'}}}"; }

struct IdClock {
  std::shared_ptr<std::int64_t> utc_s = std::make_shared<std::int64_t>(kUtcBegin);
};

/// A daemon that takes its session up again, and can be killed.
struct IdRig : private IdClock, public Rig {
  explicit IdRig(bool restore = true) : Rig(options(restore, utc_s)) {}

  void pass(std::int64_t seconds) { *utc_s += seconds; }
  fs::path state() const { return folder.path() / "state"; }
  Result<v1::ApplyResponse> once(const std::string& id, const std::string& operations) {
    v1::ApplyRequest wanted = request("{'operations':[" + operations + "],'requestId':'" + id + "'}");
    wanted.set_max_wait_ms(60'000);
    return apply(wanted);
  }
  /// Both are on the disk, and the session has this in it.
  void wait_saved(const std::string& id) {
    REQUIRE(until([&] {
      const auto kept = parse_request_ids(text_of(state() / "request-ids"));
      if (!kept || sha256_of(text_of(state() / "last-session.json")) != kept->next.sha256) return false;
      for (const KeptRequest& one : kept->entries)
        if (one.named->id == id) return true;
      return false;
    }));
  }

 private:
  static RigOptions options(bool restore, const std::shared_ptr<std::int64_t>& utc_s) {
    RigOptions options;
    options.adjust = [restore, utc_s](EngineConfig& config) {
      config.restore_session = restore;
      config.utc_ns = [utc_s] { return *utc_s * 1'000'000'000; };
    };
    return options;
  }
};

/// Applied again, it would be refused: the node is there.
bool known(IdRig& rig, const std::string& id, const v1::ApplyResponse& first) {
  const auto again = rig.once(id, track(id));
  return again && again->transaction_id() == first.transaction_id();
}

}  // namespace

TEST_CASE("request ids: after a restart a repeat returns what was, whatever it did") {
  IdRig rig;
  const auto first = rig.once("a", track("a"));
  const auto play = rig.once("p", "{'play':{}}");
  const auto wrong = rig.once("w", "{'removeNode':{'path':'nobody'}}");
  REQUIRE(first);
  REQUIRE(play);
  REQUIRE_FALSE(wrong);
  rig.shutdown();
  rig.restart();
  CHECK_FALSE(rig.engine->clock().rolling());
  CHECK(known(rig, "a", *first));
  const auto again = rig.once("p", "{'play':{}}");
  REQUIRE(again);
  CHECK(again->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(again->engine_frame() == play->engine_frame());
  rig.turns();
  CHECK_FALSE(rig.engine->clock().rolling());
  const auto still = rig.once("w", "{'removeNode':{'path':'nobody'}}");
  REQUIRE_FALSE(still);
  CHECK(still.error().reason == wrong.error().reason);
  CHECK(still.error().field == wrong.error().field);
  const auto reused = rig.once("a", track("b"));
  REQUIRE_FALSE(reused);
  CHECK(reused.error().reason == "REQUEST_ID_REUSED");
  // And once more, with nothing done in between; then their time is over.
  rig.shutdown();
  rig.restart();
  CHECK(known(rig, "a", *first));
  rig.pass(601);
  rig.shutdown();
  rig.restart();
  CHECK(rig.once("a", track("a")).error().kind == ErrorKind::already_exists);
  rig.pass(-3600);
  rig.shutdown();
  rig.restart();
  CHECK(rig.once("a", track("a")).error().kind == ErrorKind::already_exists);
}

TEST_CASE("request ids: after a kill an id counts where the session has its change, and only there") {
  IdRig rig;
  const auto first = rig.once("a", track("a"));
  REQUIRE(first);
  rig.wait_saved("a");
  const std::string session_a = text_of(rig.state() / "last-session.json");
  const std::string ids_a = text_of(rig.state() / "request-ids");
  const auto second = rig.once("b", track("b"));
  REQUIRE(second);
  SUBCASE("before either was written") {
    rig.restart();
    CHECK(known(rig, "a", *first));
    CHECK(rig.once("b", track("b")));
    CHECK(rig.session().find("\"b\"") != std::string::npos);
  }
  SUBCASE("between the two") {
    rig.wait_saved("b");
    rig.engine.reset();
    std::ofstream(rig.state() / "last-session.json", std::ios::binary) << session_a;
    rig.restart();
    CHECK(known(rig, "a", *first));
    const auto anew = rig.once("b", track("b"));
    REQUIRE(anew);
    CHECK(anew->revision().epoch() != second->revision().epoch());
    CHECK(rig.session().find("\"b\"") != std::string::npos);
  }
  SUBCASE("behind both") {
    rig.wait_saved("b");
    rig.restart();
    CHECK(known(rig, "a", *first));
    CHECK(known(rig, "b", *second));
    // Killed again before anything is saved by this start.
    rig.restart();
    CHECK(known(rig, "a", *first));
    CHECK(known(rig, "b", *second));
  }
  SUBCASE("with ids of an earlier session: none is believed that the text does not prove") {
    rig.wait_saved("b");
    rig.engine.reset();
    std::ofstream(rig.state() / "request-ids", std::ios::binary) << ids_a;
    rig.restart();
    CHECK(rig.once("b", track("b")).error().kind == ErrorKind::already_exists);
  }
}

TEST_CASE("request ids: what was done before a load counts once the loaded session is there") {
  IdRig rig;
  const auto first = rig.once("a", track("a"));
  REQUIRE(first);
  REQUIRE(rig.load("{'format':1,'nodes':[{'id':'z','type':'track'}]}"));
  const auto second = rig.once("b", track("b"));
  REQUIRE(second);
  rig.shutdown();
  rig.restart();
  CHECK(known(rig, "a", *first));  // done, and loaded over
  CHECK(known(rig, "b", *second));
  CHECK(rig.session().find("\"a\"") == std::string::npos);
}

TEST_CASE("request ids: a daemon that begins empty forgets those of the document, and no others") {
  IdRig rig(false);
  const auto first = rig.once("a", track("a"));
  const auto play = rig.once("p", "{'play':{}}");
  REQUIRE(first);
  REQUIRE(play);
  rig.shutdown();
  rig.restart();
  const auto again = rig.once("a", track("a"));
  REQUIRE(again);
  CHECK(rig.session().find("\"a\"") != std::string::npos);
  const auto same = rig.once("p", "{'play':{}}");
  REQUIRE(same);
  CHECK(same->engine_frame() == play->engine_frame());
  CHECK_FALSE(rig.engine->clock().rolling());
}

TEST_CASE("request ids: a transaction that was only held for later can be sent again") {
  IdRig rig;
  v1::ApplyRequest later =
      Rig::request("{'operations':[" + track("later") + "],'when':{'afterSeconds':3600},'requestId':'l'}");
  REQUIRE(rig.apply(later));
  rig.shutdown();
  rig.restart();
  const auto again = rig.apply(later);
  REQUIRE(again);
  CHECK(again->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
}

TEST_CASE("request ids: a broken file is told, put aside, and stops nothing") {
  IdRig rig;
  REQUIRE(rig.once("a", track("a")));
  rig.shutdown();
  rig.engine.reset();
  const fs::path file = rig.state() / "request-ids";
  std::string bytes = text_of(file);
  REQUIRE(!bytes.empty());
  SUBCASE("wrong bits") {
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    std::ofstream(file, std::ios::binary) << bytes;
  }
  SUBCASE("cut off") { fs::resize_file(file, bytes.size() / 2); }
  SUBCASE("a FIFO") {
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  }
  SUBCASE("a folder") {
    fs::remove(file);
    fs::create_directory(file);
  }
  rig.restart();
  CHECK(fs::exists(rig.state() / "request-ids.bad-1"));
  CHECK(rig.session().find("\"a\"") != std::string::npos);
  CHECK(rig.once("a", track("a")).error().kind == ErrorKind::already_exists);
  const auto next = rig.once("b", track("b"));
  REQUIRE(next);
  rig.wait_saved("b");
  rig.restart();
  CHECK(known(rig, "b", *next));
}

TEST_CASE("state files: a FIFO, a folder or nothing at all in the place of any holds nobody up") {
  for (const char* name : {"uids", "uids.new", "request-ids.new", "last-session.json", "last-session.json.new",
                           "last-session.base", "last-place.json", "started-session.json", "calibrations.json"}) {
    CAPTURE(name);
    for (const bool fifo : {true, false}) {
      IdRig rig;
      REQUIRE(rig.once("a", track("a")));
      rig.shutdown();
      rig.engine.reset();
      std::error_code none;
      fs::remove(rig.state() / name, none);
      if (fifo)
        REQUIRE(::mkfifo((rig.state() / name).c_str(), 0600) == 0);
      else
        fs::create_directory(rig.state() / name);
      rig.restart();
      CHECK(rig.once("b", track("b")));
      rig.shutdown();
    }
  }
  const auto gone = read_state("/nonexistent/x", 10);
  REQUIRE(gone);
  CHECK_FALSE(gone->has_value());
}
