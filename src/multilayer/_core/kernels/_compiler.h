/* What the kernels ask of a compiler beyond the C standard, C11, and what stands for it where a compiler has no such thing.
 *
 * GCC and Clang have types for vectors, and functions for processors with more instructions than the rest of the module
 * asks for. Microsoft's compiler has neither: there a vector is an array, and all is compiled for one kind of processor.
 * With MULTILAYER_PORTABLE defined, others take that way, too, without POSIX threads as well: that is how it is tested.
 */

#if defined(__GNUC__) && !defined(MULTILAYER_PORTABLE) /* Clang says so, too, unless it stands in for Microsoft's */

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
#define PREFETCH(address) __builtin_prefetch(address)
#ifdef __clang__ /* which holds that the largest of numbers with a NaN among them depends on their order */
#define SIMD_LARGEST(of)
#else
#define PRAGMA(text) _Pragma(#text)
#define SIMD_LARGEST(of) PRAGMA(omp simd reduction(max : of))
#endif
#if defined(__unix__) || defined(__APPLE__)
#define POSIX_THREADS
#endif
#if defined(__x86_64__)
#define KINDS_OF_X86
#elif defined(__aarch64__)
#define CONTROL_OF_ARM
#endif

/* So many floats, at any address that suits a float, and in memory that holds floats: both are the types' to say. */
#define VECTOR_TYPE(name, lanes) typedef float name __attribute__((vector_size(4 * (lanes)), aligned(4), may_alias))

#else

#ifdef _MSC_VER
#define ALWAYS_INLINE __forceinline
#else
#define ALWAYS_INLINE inline
#endif
#define UNROLL
#define PREFETCH(address) ((void)(address))
#define SIMD_LARGEST(of)

/* The standard lets floats be reached through a structure that has floats in it. */
#define VECTOR_TYPE(name, lanes)                                                                                       \
    typedef struct {                                                                                                   \
        float lane[lanes];                                                                                             \
    } name
#define WITHOUT_VECTORS

#endif

#if defined(__x86_64__) || defined(_M_X64)
#define CONTROL_OF_X86 /* like CONTROL_OF_ARM, a register that says what becomes of subnormal numbers */
#endif
