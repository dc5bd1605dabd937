#include "server/journal/journal.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "server/journal/utc.hpp"

namespace continuo::journal {
namespace {

constexpr const char* kFile = "journal.db";
constexpr std::chrono::seconds kTryAgain{10};

Error bad(const char* reason, const char* field, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, reason, field, std::string(field) + why);
}

Result<Store::Query> query_of(const v1::ListEventsRequest& request) {
  Store::Query query;
  constexpr const char* kForm = " is no time: 2026-11-20T03:12:00Z";
  if (request.has_since_utc() && !(query.since_ns = parse_utc(request.since_utc())))
    return bad("BAD_TIME", "since_utc", kForm);
  if (request.has_until_utc() && !(query.until_ns = parse_utc(request.until_utc())))
    return bad("BAD_TIME", "until_utc", kForm);
  query.after_id = request.after_id();
  for (const int kind : request.kinds()) {
    if (!v1::Event::Kind_IsValid(kind) || kind == v1::Event::KIND_UNSPECIFIED)
      return bad("UNKNOWN_KIND", "kinds", " has a kind that there is not");
    query.kinds.push_back(static_cast<v1::Event::Kind>(kind));
  }
  query.limit = request.has_page_size() ? request.page_size() : Journal::kDefaultPage;
  if (query.limit == 0 || query.limit > Journal::kMaxPage)
    return bad("OUT_OF_RANGE", "page_size", " is 1 to " + std::to_string(Journal::kMaxPage));
  query.last = request.last();
  return query;
}

bool same_client(const v1::Origin& a, const v1::Origin& b) {
  return a.client() == b.client() && a.identity() == b.identity();
}

/// The journal's own remark, of the moment of the first of them.
void put_before(std::deque<Store::Entry>& entries, v1::Event::Kind kind, std::uint64_t count, const std::string& text) {
  Store::Entry remark{{}, entries.front().utc_ns};
  remark.event.set_utc(entries.front().event.utc());
  remark.event.set_engine_frame(entries.front().event.engine_frame());
  remark.event.set_kind(kind);
  remark.event.set_severity(v1::Event::SEVERITY_WARNING);
  remark.event.set_count(count);
  remark.event.set_message(text);
  entries.push_front(std::move(remark));
}

}  // namespace

Journal::Journal(std::filesystem::path folder, Clocks clocks)
    : folder_(std::move(folder)), clocks_(std::move(clocks)), thread_([this] {
        pthread_setname_np(pthread_self(), "continuo-journal");
        run();
      }) {}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Journal::add(v1::Event event, bool values_only) {
  Store::Entry entry{std::move(event), clocks_.utc_ns ? clocks_.utc_ns() : utc_now_ns()};
  entry.event.set_utc(utc_text(entry.utc_ns));
  if (clocks_.engine_frame) entry.event.set_engine_frame(clocks_.engine_frame());
  if (entry.event.count() == 0) entry.event.set_count(1);
  if (entry.event.severity() == v1::Event::SEVERITY_UNSPECIFIED) entry.event.set_severity(v1::Event::SEVERITY_INFO);
  if (values_only) entry.event.set_cause("VALUES");
  {
    const std::lock_guard lock(mutex_);
    if (values_only) {
      const auto same = std::find_if(waiting_.rbegin(), waiting_.rend(), [&](const Store::Entry& one) {
        return one.event.cause() == "VALUES" && same_client(one.event.origin(), entry.event.origin());
      });
      if (same != waiting_.rend()) {
        entry.event.set_count(same->event.count() + entry.event.count());
        same->event.Swap(&entry.event);  // the newest, and how many
        same->utc_ns = entry.utc_ns;
        return;
      }
    }
    if (waiting_.size() >= kMaxWaiting) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    waiting_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

void Journal::list(const v1::ListEventsRequest& request, Done done) {
  Result<Store::Query> query = query_of(request);
  if (!query) return done(query.error());
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = stopping_ || questions_.size() >= kMaxQuestions;
    if (!full) questions_.push_back({*std::move(query), std::move(done)});
  }
  if (full) {
    return done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_QUESTIONS", "",
                           std::to_string(kMaxQuestions) + " questions to the event journal wait: try again"));
  }
  wake_.notify_one();
}

std::string Journal::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Journal::run() {
  std::string told;
  std::error_code ignored;  // the file then says what is wrong
  std::filesystem::create_directories(folder_, ignored);
  auto open = Store::open(folder_ / kFile, told);
  auto tried = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  if (open) store_ = *std::move(open);
  problem_ = store_ == nullptr ? open.error().message : "";
  if (!told.empty()) {
    lock.unlock();
    v1::Event event;
    event.set_kind(v1::Event::KIND_LOG);
    event.set_severity(v1::Event::SEVERITY_WARNING);
    event.set_message(told);
    add(std::move(event));
    lock.lock();
  }
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !questions_.empty(); });
    // A moment for what belongs together; a question is not kept waiting for it.
    if (questions_.empty() && !stopping_)
      wake_.wait_for(lock, kGather, [this] { return stopping_ || !questions_.empty(); });
    const bool last = stopping_;
    auto entries = std::exchange(waiting_, {});
    const auto questions = std::exchange(questions_, {});
    lock.unlock();
    if (store_ != nullptr && !entries.empty() && !store_->in_place()) {
      store_.reset();
      tried = {};  // at once
      put_before(entries, v1::Event::KIND_LOG, 1, "the event journal's file was deleted or replaced: a new one begins");
    }
    if (store_ == nullptr && std::chrono::steady_clock::now() - tried > kTryAgain) {
      tried = std::chrono::steady_clock::now();
      if (auto again = Store::open(folder_ / kFile, told)) store_ = *std::move(again);
    }
    write(entries);
    for (const Question& question : questions) answer(question);
    lock.lock();
    if (last && waiting_.empty() && questions_.empty()) return;
  }
}

void Journal::write(std::deque<Store::Entry>& entries) {
  const std::uint64_t lost = lost_.load(std::memory_order_relaxed);
  if (store_ == nullptr) {
    lost_.fetch_add(entries.size(), std::memory_order_relaxed);
    return;
  }
  if (lost > told_lost_ && !entries.empty()) {
    const std::uint64_t count = lost - told_lost_;
    put_before(entries, v1::Event::KIND_LOSS, count,
               std::to_string(count) + " events could not be written before this one");
    entries.front().event.set_cause("JOURNAL");
  }
  for (auto& entry : entries) {
    if (entry.event.cause() == "VALUES") entry.event.clear_cause();
  }
  const std::vector<Store::Entry> all(std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
  if (all.empty()) return;
  const Result<> written = store_->append(all);
  if (written)
    told_lost_ = lost;
  else
    lost_.fetch_add(all.size(), std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  problem_ = written ? "" : written.error().message;
}

void Journal::answer(const Question& question) {
  if (store_ == nullptr) {
    return question.done(make_error(ErrorKind::data_loss, "JOURNAL", "", problem()));
  }
  Result<Store::Found> found = store_->find(question.query);
  if (!found) return question.done(found.error());
  v1::ListEventsResponse out;
  for (v1::Event& event : found->events) *out.add_events() = std::move(event);
  out.set_more(found->more);
  out.set_lost(lost());
  question.done(std::move(out));
}

}  // namespace continuo::journal
